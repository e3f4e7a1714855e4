-- bedrock_invoke: canonical rows as Bedrock would have logged them, called through InvokeModel with Anthropic's bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/bedrock.py.
SELECT 'ModelInvocationLog' AS schemaType, '1.0' AS schemaVersion,
       strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp, org_id AS accountId,
       {'arn': api_key_id} AS identity, request_id AS requestId,
       CASE WHEN stream THEN 'InvokeModelWithResponseStream' ELSE 'InvokeModel' END AS operation,
       concat('arn:aws:bedrock:eu-west-1:111122223333:inference-profile/', model) AS modelId,
       CASE WHEN status = 429 THEN 'ThrottlingException' WHEN status = 401 THEN 'UnrecognizedClientException'
            WHEN status = 403 THEN 'AccessDeniedException' WHEN status = 408 THEN 'ModelTimeoutException'
            WHEN status >= 500 THEN 'InternalServerException' WHEN status >= 400 THEN 'ValidationException' END
            AS errorCode,
       {'user': account_id, 'tenant': project_id, 'session': session_id} AS requestMetadata,
       {
           'inputContentType': 'application/json',
           'inputTokenCount': input_tokens - coalesce(cached_tokens, 0),
           'cacheReadInputTokenCount': cached_tokens,
           'inputBodyJson': struct_concat({'anthropic_version': 'bedrock-2023-05-31'}, anthropic_request(r))
       } AS input,
       {
           'outputContentType': 'application/json',
           'outputTokenCount': output_tokens,
           'outputBodyJson': anthropic_response(r)
       } AS output
FROM request AS r
