-- cloudtrail: canonical rows as CloudTrail would have noted them, one event a line, without bodies.
-- Reads request (canonical columns). Called by simulate; the reader's declaration is sources/cloudtrail.py.
-- It knows to the second when, and the role alone: here each account has one.
SELECT '1.11' AS eventVersion,
       {'type': 'AssumedRole', 'arn': account_id, 'accountId': org_id, 'accessKeyId': 'ASIAEXAMPLE'} AS userIdentity,
       strftime(ts, '%Y-%m-%dT%H:%M:%SZ') AS eventTime, 'bedrock.amazonaws.com' AS eventSource,
       CASE WHEN stream THEN 'ConverseStream' ELSE 'Converse' END AS eventName, 'eu-west-1' AS awsRegion,
       ip AS sourceIPAddress, user_agent AS userAgent,
       CASE WHEN status = 429 THEN 'ThrottlingException' WHEN status = 401 THEN 'UnrecognizedClientException'
            WHEN status = 403 THEN 'AccessDenied' WHEN status >= 500 THEN 'InternalServerException'
            WHEN status >= 400 THEN 'ValidationException' END AS errorCode,
       {'modelId': concat('arn:aws:bedrock:eu-west-1:111122223333:inference-profile/', model)} AS requestParameters,
       NULL AS responseElements, request_id AS requestID, md5(request_id) AS eventID, true AS readOnly,
       'AwsApiCall' AS eventType, true AS managementEvent, '111122223333' AS recipientAccountId,
       'Management' AS eventCategory
FROM request
