-- cloudflare_logpush: canonical rows as Cloudflare pushes them, bodies and metadata beyond reach.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/cloudflare.py.
SELECT strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS Datetime, coalesce(project_id, 'gateway-1') AS Gateway, provider AS Provider,
       model AS Model, endpoint AS Endpoint, status AS StatusCode, false AS Cached, status = 429 AS RateLimited
FROM request
