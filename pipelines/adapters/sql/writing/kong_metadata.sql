-- kong_metadata: canonical rows as Kong's log plugins would have written them, payloads switched off.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/kong.py.
SELECT {
           'id': request_id, 'uri': endpoint, 'method': 'POST', 'size': 812,
           'headers': {
               'user-agent': user_agent, 'authorization': 'REDACTED', 'x-stainless-lang': client_fingerprint,
               'x-stainless-retry-count': (attempt - 1)::VARCHAR}
       } AS request,
       {'status': status, 'size': 1940, 'headers': {'content-type': 'application/json'}} AS response,
       {'kong': 4, 'request': latency_ms} AS latencies,
       {'id': api_key_id} AS authenticated_entity,
       {'custom_id': account_id} AS consumer,
       ip AS client_ip, epoch_ms(ts) AS started_at, project_id AS workspace,
       {'proxy': {
           'meta': {'plugin_id': 'p', 'provider_name': provider, 'request_model': model, 'llm_latency': latency_ms},
           'usage': {'prompt_tokens': input_tokens, 'completion_tokens': output_tokens}
       }} AS ai
FROM request
