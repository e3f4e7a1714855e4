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
           'inputBodyJson': {
               'anthropic_version': 'bedrock-2023-05-31',
               'max_tokens': max_tokens,
               'system': CASE WHEN system_prompt IS NOT NULL THEN [{'type': 'text', 'text': system_prompt}] END,
               'messages': list_concat(
                   list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                       'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'assistant' ELSE 'user' END, 'content': to_json('-')}),
                   [{'role': 'user', 'content': to_json(list_concat(
                       list_transform(range(coalesce(n_images, 0)), lambda i: {
                           'type': 'image', 'text': NULL, 'source': {'type': 'url', 'url': 'https://img.example/1.png'}}),
                       [{'type': 'text', 'text': prompt, 'source': NULL}]))}]),
               'temperature': temperature, 'top_p': top_p,
               'tools': list_transform(tool_names, lambda name: {'name': name, 'input_schema': {'type': 'object'}}),
               'thinking': CASE WHEN thinking IS NOT NULL THEN
                   {'type': CASE WHEN thinking THEN 'enabled' ELSE 'disabled' END} END}
       } AS input,
       {
           'outputContentType': 'application/json',
           'outputTokenCount': output_tokens,
           'outputBodyJson': {
               'id': provider_request_id,
               'type': 'message',
               'role': 'assistant',
               'content': [{'type': 'text', 'text': response}],
               'stop_reason': CASE stop_reason WHEN 'stop' THEN 'end_turn' WHEN 'length' THEN 'max_tokens'
                                               WHEN 'tool' THEN 'tool_use' WHEN 'pause' THEN 'pause_turn'
                                               ELSE stop_reason END,
               'stop_details': CASE WHEN refusal_category IS NOT NULL THEN
                   {'type': 'refusal', 'category': refusal_category} END,
               'usage': {
                   'input_tokens': input_tokens - coalesce(cached_tokens, 0), 'cache_creation_input_tokens': 0,
                   'cache_read_input_tokens': cached_tokens, 'output_tokens': output_tokens,
                   'output_tokens_details': {'thinking_tokens': reasoning_tokens}}}
       } AS output
FROM request
