-- bedrock_converse: canonical rows as Bedrock would have logged them, called through Converse.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/bedrock.py.
SELECT 'ModelInvocationLog' AS schemaType, '1.0' AS schemaVersion,
       strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS timestamp, org_id AS accountId,
       {'arn': api_key_id} AS identity, request_id AS requestId,
       CASE WHEN stream THEN 'ConverseStream' ELSE 'Converse' END AS operation,
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
           'inputBodyJson': {
               'system': CASE WHEN system_prompt IS NOT NULL THEN [{'text': system_prompt}] END,
               'messages': list_concat(
                   list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                       'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END,
                       'content': [{'text': '-', 'image': NULL}]}),
                   [{'role': 'user', 'content': list_concat(
                       list_transform(range(coalesce(n_images, 0)), lambda i: {
                           'text': NULL, 'image': {'format': 'png'}}),
                       [{'text': prompt, 'image': NULL}])}]),
               'inferenceConfig': {'maxTokens': max_tokens, 'temperature': temperature, 'topP': top_p},
               'toolConfig': CASE WHEN tool_names IS NOT NULL THEN {
                   'tools': list_transform(tool_names, lambda name: {'toolSpec': {'name': name}})} END,
               'additionalModelRequestFields': CASE WHEN thinking IS NOT NULL THEN {
                   'thinking': {'type': CASE WHEN thinking THEN 'enabled' ELSE 'disabled' END}} END}
       } AS input,
       {
           'outputContentType': 'application/json',
           'outputTokenCount': output_tokens,
           'outputBodyJson': {
               'output': {'message': {'role': 'assistant', 'content': [{'text': response}]}},
               'stopReason': CASE stop_reason WHEN 'stop' THEN 'end_turn' WHEN 'length' THEN 'max_tokens'
                                              WHEN 'tool' THEN 'tool_use' WHEN 'refusal' THEN 'guardrail_intervened'
                                              WHEN 'filter' THEN 'content_filtered' ELSE stop_reason END,
               'metrics': {'latencyMs': latency_ms},
               'usage': {'inputTokens': input_tokens - coalesce(cached_tokens, 0), 'outputTokens': output_tokens,
                         'cacheReadInputTokens': cached_tokens, 'cacheWriteInputTokens': 0}}
       } AS output
FROM request
