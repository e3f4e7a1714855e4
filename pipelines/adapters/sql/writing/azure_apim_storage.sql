-- azure_apim_storage: canonical rows as a diagnostic setting of Azure API Management writes them to storage.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/azure_apim.py.
SELECT strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS time, request_id AS "correlationId",
       concat('/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.APIMANAGEMENT/SERVICE/', upper(org_id)) AS "resourceId",
       CASE WHEN row.number IS NULL THEN 'GatewayLogs' ELSE 'GatewayLlmLogs' END AS category,
       CASE WHEN row.number IS NULL THEN ip END AS "callerIpAddress",
       CASE WHEN row.number IS NULL THEN latency_ms END AS "durationMs",
       {
           'sequenceNumber': row.number,
           'requestId': CASE WHEN row.number = 0 THEN provider_request_id END,
           'modelName': CASE WHEN row.number = 0 THEN model END,
           'isStreamCompletion': CASE WHEN row.number = 0 THEN stream END,
           'promptTokens': CASE WHEN row.number = 0 THEN input_tokens END,
           'completionTokens': CASE WHEN row.number = 0 THEN output_tokens END,
           'requestMessages': row.asked,
           'responseMessages': row.answered,
           'apimSubscriptionId': CASE WHEN row.number IS NULL THEN api_key_id END,
           'userId': CASE WHEN row.number IS NULL THEN account_id END,
           'productId': CASE WHEN row.number IS NULL THEN project_id END,
           'url': CASE WHEN row.number IS NULL THEN concat('https://llm.example', endpoint) END,
           'responseCode': CASE WHEN row.number IS NULL THEN status END,
           'requestHeaders': CASE WHEN row.number IS NULL THEN {'User-Agent': user_agent} END
       } AS properties
FROM (SELECT *, unnest(azure_rows(r)) AS row FROM request AS r)
