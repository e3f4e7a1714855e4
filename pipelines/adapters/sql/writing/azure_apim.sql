-- azure_apim: canonical rows as the two tables of Azure API Management, exported together from Log Analytics.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/azure_apim.py.
SELECT request_id AS "CorrelationId", strftime(ts, '%Y-%m-%dT%H:%M:%S.%fZ') AS "TimeGenerated",
       CASE WHEN row.number IS NULL THEN 'ApiManagementGatewayLogs' ELSE 'ApiManagementGatewayLlmLog' END AS "Type",
       concat('/subscriptions/s/providers/microsoft.apimanagement/service/', org_id) AS "_ResourceId",
       row.number AS "SequenceNumber",
       CASE WHEN row.number = 0 THEN provider_request_id END AS "RequestId",
       CASE WHEN row.number = 0 THEN model END AS "ModelName",
       CASE WHEN row.number = 0 THEN stream END AS "IsStreamCompletion",
       CASE WHEN row.number = 0 THEN input_tokens END AS "PromptTokens",
       CASE WHEN row.number = 0 THEN output_tokens END AS "CompletionTokens",
       row.asked AS "RequestMessages", row.answered AS "ResponseMessages",
       CASE WHEN row.number IS NULL THEN api_key_id END AS "ApimSubscriptionId",
       CASE WHEN row.number IS NULL THEN account_id END AS "UserId",
       CASE WHEN row.number IS NULL THEN project_id END AS "ProductId",
       CASE WHEN row.number IS NULL THEN concat('https://llm.example', endpoint) END AS "Url",
       CASE WHEN row.number IS NULL THEN status END AS "ResponseCode",
       CASE WHEN row.number IS NULL THEN latency_ms END AS "TotalTime",
       CASE WHEN row.number IS NULL THEN ip END AS "CallerIpAddress",
       CASE WHEN row.number IS NULL THEN to_json({'User-Agent': user_agent})::VARCHAR END AS "RequestHeaders"
FROM (SELECT *, unnest(azure_rows(r)) AS row FROM request AS r)
