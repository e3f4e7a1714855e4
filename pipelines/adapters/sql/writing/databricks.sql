-- databricks: canonical rows as an inference table of Databricks would have them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/databricks.py.
SELECT request_id AS databricks_request_id, strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS request_time, status AS status_code,
       sample_rate AS sampling_fraction, latency_ms AS execution_duration_ms, project_id AS served_entity_id,
       account_id AS requester,
       to_json(chat_request(r))::VARCHAR AS request,
       to_json(chat_response(r))::VARCHAR AS response
FROM request AS r
