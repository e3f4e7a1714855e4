-- nginx: canonical rows as an edge would have logged them, without bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/nginx.py.
-- An edge knows the key alone, so here each account has one. Times are those of the line, after the answer.
SELECT strftime(ts + to_milliseconds(coalesce(latency_ms, 0)), '%Y-%m-%dT%H:%M:%S+00:00') AS ts,
       printf('%.3f', epoch_us(ts) / 1e6 + round(coalesce(latency_ms, 0)) / 1e3) AS msec,
       request_id, ip AS remote_addr, '' AS xff, coalesce(user_agent, '') AS ua, 'POST' AS method,
       endpoint AS uri, status::VARCHAR AS status, '812' AS request_length, '1940' AS bytes_sent,
       printf('%.3f', round(coalesce(latency_ms, 0)) / 1e3) AS request_time,
       printf('%.3f', round(coalesce(latency_ms, 0)) / 1e3) AS upstream_time,
       account_id AS key_hash, '' AS sdk, '' AS sdk_version, '' AS sdk_os, '' AS sdk_runtime,
       coalesce(client_fingerprint, '') AS ja4, coalesce(provider_request_id, '') AS upstream_request_id,
       md5(coalesce(trace_id, request_id)) AS trace_id
FROM request
