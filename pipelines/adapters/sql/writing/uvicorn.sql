-- uvicorn: canonical rows as uvicorn's access log has them, with times before each line as a container's runtime adds them.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/vllm.py.
SELECT concat(strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ'), ' stdout F INFO:     ', ip, ':51422 - "POST ', endpoint,
              ' HTTP/1.1" ', status, ' OK') AS line
FROM request AS r
