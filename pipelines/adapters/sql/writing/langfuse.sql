-- langfuse: canonical rows as Langfuse's export of observations would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/langfuse.py.
SELECT request_id AS id, coalesce(trace_id, md5(request_id)) AS traceId, project_id AS projectId, 'GENERATION' AS type, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS startTime,
       strftime(ts + to_milliseconds(coalesce(latency_ms, 0)), '%Y-%m-%dT%H:%M:%S.%fZ') AS endTime, 'chat' AS name, model,
       struct_concat(chat_sampling(r), chat_manner(r)) AS modelParameters,
       {
           'messages': chat_messages(r),
           'tools': chat_tools(r)} AS input,
       CASE WHEN response IS NOT NULL THEN {'role': 'assistant', 'content': response} END AS output,
       {'input': input_tokens, 'output': output_tokens, 'total': input_tokens + output_tokens,
        'input_cached_tokens': cached_tokens} AS usageDetails,
       CASE WHEN status >= 400 THEN 'ERROR' ELSE 'DEFAULT' END AS level, account_id AS userId, session_id AS sessionId
FROM request AS r
