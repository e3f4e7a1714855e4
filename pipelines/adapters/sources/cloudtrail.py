"""The format `cloudtrail`: CloudTrail's events of model calls through Bedrock: from where, and how they
ended.

Here: events of `bedrock.amazonaws.com` that call a model. Not here: the calls' bodies, which Bedrock logs
itself (`bedrock`) under the same request ids: join the two. By itself it is a log without content.
"""

from pipelines.adapters.source import AS_JSON, TEXT, Source, Writing, alone, has

_SERVICE = "bedrock.amazonaws.com"
_CALLS = ("InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream")

_STRUCTURE = {
    "Records": [AS_JSON],
    "eventSource": TEXT,
    "eventName": TEXT,
    "eventTime": TEXT,
    "requestID": TEXT,
    "sourceIPAddress": TEXT,
    "userAgent": TEXT,
    "errorCode": TEXT,
    "recipientAccountId": TEXT,
    "userIdentity": {"arn": TEXT, "accountId": TEXT},
    "requestParameters": {"modelId": TEXT},
}
_EACH = "doc.Records::VARCHAR[]"

CLOUDTRAIL = Source(
    name="cloudtrail",
    title="AWS CloudTrail events of Bedrock calls",
    versions="event version 1.08 to 1.11",
    told_by=(
        (has("eventSource"), has("requestID"), has("eventName")),
        (has("Records.eventSource"), has("Records.eventName")),
    ),
    structure=_STRUCTURE,
    each={"item": _EACH},
    steps=({"event": alone(_EACH, _STRUCTURE, {"Records"})},),
    is_request=f"event.eventSource = '{_SERVICE}' AND event.requestID IS NOT NULL "
    f"AND event.eventName IN {_CALLS!r}",
    columns={
        "request_id": "event.requestID",
        "ts": "event.eventTime",
        "org_id": "coalesce(event.userIdentity.accountId, event.recipientAccountId)",
        "api_key_id": "event.userIdentity.arn",
        "provider": "'bedrock'",
        "model": "regexp_extract(event.requestParameters.modelId, '([^/]*)$', 1)",
        "endpoint": "event.eventName",
        "stream": "contains(event.eventName, 'Stream')",
        "status": "status_of_exception(event.errorCode)",
        # Of calls that AWS makes for somebody there stands a service's name instead of an address.
        "ip": "CASE WHEN event.sourceIPAddress <> 'AWS Internal' "
        "AND NOT ends_with(event.sourceIPAddress, '.amazonaws.com') THEN event.sourceIPAddress END",
        "user_agent": "event.userAgent",
        "body_state": "'absent'",
    },
    account=("key", "organisation"),
    ignores=frozenset(
        {
            "eventVersion",
            "awsRegion",
            "errorMessage",
            "responseElements",
            "additionalEventData",
            "eventID",
            "readOnly",
            "eventType",
            "managementEvent",
            "eventCategory",
            "tlsDetails",
            "sharedEventID",
            "sessionCredentialFromConsole",
            "resources",
            "vpcEndpointId",
            "vpcEndpointAccountId",
            "userIdentity.*",
            "requestParameters.*",
        }
    ),
    lacks={
        "prompt, response": "join it with Bedrock's own log, which has the bodies under the same request ids",
        "end_user_id, project_id": "callers' tags are in Bedrock's own log alone: a role's session is the "
        "account",
    },
    writings={
        "cloudtrail": Writing(
            "cloudtrail",
            carries=frozenset(["request_id", "account_id", "org_id", "model", "ip", "user_agent"]),
        )
    },
)
