"""The formats `azure-apim` and `azure-apim-storage`: what Azure API Management logs of language models.

Here: the tables ApiManagementGatewayLlmLog (bodies, cut into pieces of 32 KB, a row each) and
ApiManagementGatewayLogs (who called from where, and what came of it), whose rows of one call are gathered
where they lie in one file, and joined where they lie in files of their own; as exported from Log Analytics,
and as a diagnostic setting writes them to storage. Not here: Azure OpenAI's own diagnostics, which name
nobody.

A call that never reached a model, for its limit was spent, has a row of the second table alone.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipelines.adapters.source import AS_JSON, TEXT, Gathering, Halves, Source, Writing, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS

_MODEL_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "SequenceNumber": TEXT,
        "RequestId": TEXT,
        "DeploymentName": TEXT,
        "ModelName": TEXT,
        "IsStreamCompletion": TEXT,
        "PromptTokens": TEXT,
        "CompletionTokens": TEXT,
        "RequestMessages": AS_JSON,
        "ResponseMessages": AS_JSON,
    }
)
_GATEWAY_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "ApimSubscriptionId": TEXT,
        "UserId": TEXT,
        "ProductId": TEXT,
        "Url": TEXT,
        "ResponseCode": TEXT,
        "RequestHeaders": AS_JSON,
        "RequestBody": AS_JSON,
        "ResponseBody": AS_JSON,
    }
)
_MOST_PARTS = 320
"""Two directions of at most 2 MB in pieces of 32 KB, a head and a row of the gateway's, each delivered twice,
and some to spare."""

_KNOWN_BETTER = ("account_id",)
"""Without the gateway's row the account is the service, for want of anybody."""

_PORTAL_TIME = "%m/%d/%Y, %I:%M:%S.%g %p"
"""As the portal writes times into CSV, under the heading `TimeGenerated [UTC]`."""


def _camel(name: str) -> str:
    return name[0].lower() + name[1:]


def _first(name: str) -> str:
    """SQL: of a call's parts the first that has this."""
    return f"{name}_parts[1]"


def _text(name: str) -> str:
    """SQL: the pieces of a body put together; null where no row has any. Most bodies are one piece.

    Delivery is at least once: of pieces with one number the first counts.
    """
    return (
        f"CASE WHEN len({name}_parts) = 1 THEN coalesce(opened_text({name}_parts[1]), '') "
        f"WHEN len({name}_parts) > 1 THEN array_to_string(list_transform("
        f"pieces_once({name}, SequenceNumber), lambda p: opened_text(p)), '') END"
    )


_AGENT = """['$."User-Agent"', '$."user-agent"']"""


_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        **BODY_COLUMNS,
        "request_id": "coalesce(correlation_id, concat('record-', digest[1]))",
        "ts": f"coalesce(strftime(try_strptime({_first('written_at')}, '{_PORTAL_TIME}'), "
        f"'%Y-%m-%dT%H:%M:%S.%fZ'), {_first('written_at')})",
        # User 1 is whoever set the service up: keys without an owner are his.
        "account_id": f"nullif(nullif({_first('UserId')}, '1'), '')",
        "org_id": "resource",
        "project_id": f"nullif({_first('ProductId')}, '')",
        "api_key_id": f"key_name(nullif({_first('ApimSubscriptionId')}, ''))",
        "provider_request_id": f"coalesce(nullif({_first('RequestId')}, ''), response.id)",
        "provider": "'azure'",
        "model": f"coalesce(nullif({_first('ModelName')}, ''), nullif({_first('DeploymentName')}, ''), "
        f"{BODY_COLUMNS['model']})",
        "endpoint": f"path_of_url({_first('Url')})",
        "stream": f"coalesce(truth_or_null({_first('IsStreamCompletion')}), {BODY_COLUMNS['stream']})",
        "input_tokens": f"coalesce({_first('PromptTokens')}, {BODY_COLUMNS['input_tokens']})",
        "output_tokens": f"coalesce({_first('CompletionTokens')}, {BODY_COLUMNS['output_tokens']})",
        # 0 is written of a client that went before there was an answer.
        "status": f"coalesce(CASE {_first('ResponseCode')} WHEN '0' THEN '499' "
        f"ELSE {_first('ResponseCode')} END, ({BODY_COLUMNS['status']})::VARCHAR)",
        "latency_ms": _first("taken_ms"),
        "ip": f"first_address({_first('address')})",
        "user_agent": "coalesce(headers[1], headers[2])",
        "response": "coalesce(answer, CASE WHEN NOT is_json_text(answered) THEN answered END, "
        f"{BODY_COLUMNS['response']})",
        "body_state": "CASE WHEN messages IS NOT NULL THEN 'full' WHEN asked IS NOT NULL THEN 'truncated' "
        "ELSE 'absent' END",
    }
)


def _source(
    name: str,
    title: str,
    *,
    told_by: Any,
    halves: Halves,
    structure: Mapping[str, Any],
    parts: Mapping[str, str],
    place: str,
    resource_id: str,
    resource: str,
    ignores: frozenset[str],
    statement: str,
) -> Source:
    texts = {field: f"({sql})::VARCHAR" for field, sql in parts.items()}
    return Source(
        name=name,
        title=title,
        versions="the tables of 2026",
        told_by=told_by,
        halves=halves,
        structure=structure,
        gathering=Gathering(
            steps=({"correlation": parts["correlation"]},),
            key="correlation",
            # The row of the gateway's own table has no number: it comes last.
            place=f"coalesce(TRY_CAST({place} AS BIGINT), 1000000)",
            parts={
                **texts,
                "resource_id": resource_id,
                "digest": "CASE WHEN correlation IS NULL THEN md5(concat('{\"parts\":[', line, ']}')) END",
            },
            most=_MOST_PARTS,
        ),
        steps=(
            {
                **{f"{field}_parts": f"list_filter({field}, lambda v: v IS NOT NULL)" for field in parts},
                "resource": resource,
            },
            {
                "correlation_id": _first("correlation"),
                "asked": _text("RequestMessages"),
                "answered": _text("ResponseMessages"),
                "headers": f"TRY(json_extract_string(opened_text({_first('RequestHeaders')}), {_AGENT}))",
                "request_text": f"opened_text({_first('RequestBody')})",
                "response_text": f"opened_text({_first('ResponseBody')})",
            },
            {
                "request": "CASE WHEN request_text IS NOT NULL THEN request_of(request_text) END",
                "response": "CASE WHEN response_text IS NOT NULL THEN response_of(response_text) END",
                "asked_messages": "messages_of_text(asked)",
                "answer": "joined(list_transform(messages_of_text(answered), "
                "lambda m: content_text(m.content)))",
            },
            {
                "messages": "CASE WHEN asked_messages IS NOT NULL THEN asked_messages "
                "ELSE request.messages END"
            },
        ),
        is_request="len(SequenceNumber_parts) > 0 "
        f"OR is_model_path(path_of_url({_first('Url')}))",
        columns=_COLUMNS,
        account=("account", "key", "project", "organisation"),
        ignores=ignores,
        lacks={
            "account_id, api_key_id, ip, user_agent, status, latency_ms": "only in rows of "
            "ApiManagementGatewayLogs: without that table the whole service is one account; give both, "
            "in one file or in files of their own",
            "sampling, tool_names, logits": "only where the gateway logs request bodies, cut at 8 KB: "
            "agentic harvesting, constancy of parameters, soft labels",
            "bodies over 2 MB": "cut, and so read as truncated: content of the longest prompts",
        },
        writings={
            name: Writing(
                statement,
                carries=frozenset(
                    {
                        "request_id", "ts", "account_id", "org_id", "project_id", "api_key_id", "model",
                        "prompt", "system_prompt", "n_turns", "n_images", "response", "provider_request_id",
                        "endpoint", "stream", "input_tokens", "output_tokens", "status", "latency_ms", "ip",
                        "user_agent",
                    }
                ),
            )
        },
    )  # fmt: skip


AZURE_APIM = _source(
    "azure-apim",
    "Azure API Management, tables ApiManagementGatewayLlmLog and ApiManagementGatewayLogs from Log Analytics",
    told_by=(
        (has("Type", "ApiManagementGatewayLlmLog", "ApiManagementGatewayLogs"), has("CorrelationId")),
        (has("CorrelationId"), has("SequenceNumber")),
        (has("CorrelationId"), has("ApimSubscriptionId")),
    ),
    halves=Halves(
        texts="ApiManagementGatewayLlmLog",
        callers="ApiManagementGatewayLogs",
        texts_told_by=((has("SequenceNumber"),),),
        known_better=_KNOWN_BETTER,
    ),
    structure={
        "CorrelationId": TEXT,
        "TimeGenerated": TEXT,
        "TimeGenerated [UTC]": TEXT,
        "_ResourceId": TEXT,
        "CallerIpAddress": TEXT,
        "TotalTime": TEXT,
        **_MODEL_FIELDS,
        **_GATEWAY_FIELDS,
    },
    parts={
        "correlation": "doc.CorrelationId",
        "written_at": 'coalesce(doc.TimeGenerated, doc."TimeGenerated [UTC]")',
        "address": "doc.CallerIpAddress",
        "taken_ms": "doc.TotalTime",
        **{field: f"doc.{field}" for field in (*_MODEL_FIELDS, *_GATEWAY_FIELDS)},
    },
    place="doc.SequenceNumber",
    resource_id="doc._ResourceId",
    resource="nullif(regexp_extract(resource_id[1], '[^/]*$'), '')",
    ignores=frozenset(
        {
            "Type", "OperationName", "ApiVersion", "Region", "TotalTokens", "_SubscriptionId", "TenantId",
            "SourceSystem", "MG", "ResourceId", "Category", "ApiId", "ApiRevision", "OperationId", "Method",
            "BackendId", "BackendMethod", "BackendProtocol", "BackendRequestBody", "BackendRequestHeaders",
            "BackendResponseBody", "BackendResponseCode", "BackendResponseHeaders", "BackendTime",
            "BackendUrl", "Cache", "CacheTime", "ClientProtocol", "ClientTime", "ClientTlsVersion", "Errors",
            "IsMasterTrace", "IsRequestSuccess", "IsTraceAllowed", "IsTraceExpired", "IsTraceRequested",
            "LastErrorElapsed", "LastErrorMessage", "LastErrorReason", "LastErrorScope", "LastErrorSection",
            "LastErrorSource", "RequestSize", "ResponseHeaders", "ResponseSize", "TraceRecords",
            "WorkspaceId",
        }
    ),
    statement="azure_apim",
)  # fmt: skip

AZURE_APIM_STORAGE = _source(
    "azure-apim-storage",
    "Azure API Management, GatewayLlmLogs and GatewayLogs as a diagnostic setting writes them to storage",
    told_by=((has("category", "GatewayLlmLogs", "GatewayLogs"), has("properties")),),
    halves=Halves(
        texts="GatewayLlmLogs",
        callers="GatewayLogs",
        texts_told_by=((has("category", "GatewayLlmLogs"),),),
        known_better=_KNOWN_BETTER,
    ),
    structure={
        "time": TEXT,
        "resourceId": TEXT,
        "correlationId": TEXT,
        "callerIpAddress": TEXT,
        "durationMs": TEXT,
        "properties": {
            "correlationId": TEXT,
            **{_camel(name): kind for name, kind in {**_MODEL_FIELDS, **_GATEWAY_FIELDS}.items()},
        },
    },
    parts={
        "correlation": "coalesce(doc.correlationId, doc.properties.correlationId)",
        "written_at": "doc.time",
        "address": "doc.callerIpAddress",
        "taken_ms": "doc.durationMs",
        **{field: f"doc.properties.{_camel(field)}" for field in (*_MODEL_FIELDS, *_GATEWAY_FIELDS)},
    },
    place="doc.properties.sequenceNumber",
    resource_id="doc.resourceId",
    resource="nullif(lower(regexp_extract(resource_id[1], '[^/]*$')), '')",
    ignores=frozenset(
        {
            "category", "operationName", "location", "isRequestSuccess", "Level", "level", "resultType",
            "resultSignature", "tenantId", "properties.*",
        }
    ),
    statement="azure_apim_storage",
)  # fmt: skip
