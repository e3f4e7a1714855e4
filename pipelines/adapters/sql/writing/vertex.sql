-- vertex: canonical rows as BigQuery would export them from Vertex AI, called through Gemini's API.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/vertex.py.
SELECT CASE WHEN project_id IS NOT NULL THEN
           concat('projects/', project_id, '/locations/us-central1/publishers/google/models/m') END AS endpoint,
       strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS logging_time, request_id, model,
       CASE WHEN stream THEN 'streamGenerateContent' ELSE 'generateContent' END AS api_method,
       {
           'systemInstruction': CASE WHEN system_prompt IS NOT NULL THEN {'parts': [{'text': system_prompt}]} END,
           'contents': list_concat(
               list_transform(range(coalesce(n_turns, 1) - 1), lambda i: {
                   'role': CASE WHEN (n_turns - i) % 2 = 0 THEN 'model' ELSE 'user' END,
                   'parts': [{'text': '-', 'inlineData': NULL}]}),
               [{'role': 'user', 'parts': list_concat(
                   list_transform(range(coalesce(n_images, 0)), lambda i: {
                       'text': NULL, 'inlineData': {'mimeType': 'image/png'}}),
                   [{'text': prompt, 'inlineData': NULL}])}]),
           'tools': CASE WHEN tool_names IS NOT NULL THEN [{
               'functionDeclarations': list_transform(tool_names, lambda name: {'name': name})}] END,
           'generationConfig': {
               'temperature': temperature, 'topP': top_p, 'maxOutputTokens': max_tokens, 'candidateCount': n_choices,
               'responseLogprobs': top_logprobs IS NOT NULL, 'logprobs': top_logprobs,
               'thinkingConfig': CASE WHEN thinking IS NOT NULL THEN {
                   'thinkingBudget': CASE WHEN thinking THEN 1024 ELSE 0 END} END},
           'labels': {'user_id': account_id, 'tenant_id': org_id}
       } AS full_request,
       {
           'candidates': [{
               'content': {'role': 'model', 'parts': list_concat(
                   [{'text': response, 'functionCall': NULL}],
                   CASE WHEN stop_reason = 'tool' THEN [{'text': NULL, 'functionCall': {'name': 'f'}}] END)},
               'finishReason': CASE stop_reason WHEN 'stop' THEN 'STOP' WHEN 'tool' THEN 'STOP'
                   WHEN 'length' THEN 'MAX_TOKENS' WHEN 'pause' THEN 'CONTINUATION' WHEN 'refusal' THEN 'SAFETY'
                   WHEN 'filter' THEN 'RECITATION' WHEN 'error' THEN 'MALFORMED_FUNCTION_CALL' ELSE 'OTHER' END}],
           'usageMetadata': {
               'promptTokenCount': input_tokens, 'cachedContentTokenCount': cached_tokens,
               'candidatesTokenCount': output_tokens - coalesce(reasoning_tokens, 0),
               'thoughtsTokenCount': reasoning_tokens},
           'responseId': provider_request_id
       } AS full_response,
       {'request_latency': latency_ms} AS metadata
FROM request
