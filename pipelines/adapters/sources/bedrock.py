"""The format `bedrock`: AWS Bedrock's model invocation logs.

Here: the record as it lies in S3, and as CloudWatch hands it on (`message`, `logEvents`) or in one document
with `Records`. Bodies are Converse's, or whatever the model's provider takes. Not here: CloudTrail, which has
the addresses.

Bodies over 100 KB lie in files of their own in a folder `data` beside the log, as S3 has it. Where the folder
was copied with the log they are read; else the record says that its body is elsewhere.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipelines.adapters.source import AS_JSON, TEXT, Beside, Source, Writing, alone, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS, BODY_IGNORES, REQUEST

_USERS = ("end_user_id", "end_user", "user_id", "userId", "user")
_TENANTS = ("tenant_id", "tenantId", "tenant", "project_id", "project")
_SESSIONS = ("session_id", "sessionId", "session")

_ASKED: Mapping[str, Any] = {
    **REQUEST,
    "inferenceConfig": {"maxTokens": TEXT, "max_new_tokens": TEXT, "temperature": TEXT, "topP": TEXT},
    "toolConfig": {"tools": [{"toolSpec": {"name": TEXT}}], "toolChoice": {"tool": {"name": TEXT}}},
    "additionalModelRequestFields": {"thinking": {"type": TEXT}, "reasoning_config": {"type": TEXT}},
    "inputText": TEXT,
    "textGenerationConfig": {"maxTokenCount": TEXT, "temperature": TEXT, "topP": TEXT},
    "max_gen_len": TEXT,
}
"""Converse's request, and those of the models that have one of their own (Nova, Titan, Llama)."""

_OTHERS_ASKED: Mapping[str, Any] = {
    "message": TEXT,
    "chat_history": [{"role": TEXT, "message": TEXT}],
    "preamble": TEXT,
    "p": TEXT,
    "max_tokens_to_sample": TEXT,
    "textToImageParams": {"text": TEXT},
    "texts": [TEXT],
    "images": [TEXT],
    "inputImage": TEXT,
}
"""What bodies without `messages` have besides (Cohere, Claude 2, Nova Canvas, Titan, Llama): parsed from
these bodies alone, so that the others need not be searched for it."""

_USAGE = {
    "inputTokens": TEXT,
    "outputTokens": TEXT,
    "cacheReadInputTokens": TEXT,
    "cacheReadInputTokenCount": TEXT,
    "cacheWriteInputTokens": TEXT,
    "cacheWriteInputTokenCount": TEXT,
}
_ANSWER = json.dumps(
    {
        "output": {"message": {"content": [{"text": TEXT}]}},
        "stopReason": TEXT,
        "usage": _USAGE,
        "metrics": {"latencyMs": TEXT},
        "generation": TEXT,
        "stop_reason": TEXT,
        "results": [{"outputText": TEXT, "completionReason": TEXT}],
        "outputs": [{"text": TEXT, "stop_reason": TEXT}],
        "completion": TEXT,
        "amazon-bedrock-guardrailAction": TEXT,
    }
)
"""Converse's answer, those of Nova, Llama, Titan, Mistral and Claude 2, and what a guardrail adds to any; the
others are read as everywhere."""

_OTHER_ANSWER = json.dumps(
    {
        "text": TEXT,
        "finish_reason": TEXT,
        "generations": [{"text": TEXT, "finish_reason": TEXT}],
        "choices": [{"stop_reason": TEXT}],
    }
)
"""Answers that do not say at their top why they ended: Cohere's, and the choices of Mistral and DeepSeek."""

_CHUNKS = json.dumps(
    [
        {
            **dict.fromkeys(("outputText", "completionReason", "generation", "completion"), TEXT),
            **dict.fromkeys(("text", "stop_reason", "finish_reason"), TEXT),
            "outputs": [{"text": TEXT, "stop_reason": TEXT}],
            "choices": [{"message": {"content": TEXT}, "stop_reason": TEXT}],
        }
    ]
)
"""Streams whose chunks are pieces of the model's own answer: Titan, Llama, Claude 2, Cohere, Mistral."""

_LAST_CHUNK = json.dumps({"amazon-bedrock-invocationMetrics": {"invocationLatency": TEXT}})
_BLOCKS_CHUNK = """'"amazon-bedrock-guardrailAction"\\s*:\\s*"INTERVENED"'"""

_EVENTS = json.dumps(
    [
        {
            "contentBlockDelta": {"delta": {"text": TEXT}},
            "messageStop": {"stopReason": TEXT},
            "metadata": {"usage": _USAGE, "metrics": {"latencyMs": TEXT}},
        }
    ]
)

_RECORD: Mapping[str, Any] = {
    "schemaType": TEXT,
    "timestamp": TEXT,
    "accountId": TEXT,
    "identity": {"arn": TEXT},
    "requestId": TEXT,
    "operation": TEXT,
    "modelId": TEXT,
    "errorCode": TEXT,
    "requestMetadata": dict.fromkeys((*_USERS, *_TENANTS, *_SESSIONS), TEXT),
    "input": {
        "inputBodyJson": _ASKED,
        "inputBodyS3Path": TEXT,
        "inputTokenCount": TEXT,
        "cacheReadInputTokenCount": TEXT,
        "cacheWriteInputTokenCount": TEXT,
    },
    "output": {"outputBodyJson": AS_JSON, "outputTokenCount": TEXT},
}


_STRUCTURE: Mapping[str, Any] = {
    **_RECORD,
    "Records": [AS_JSON],
    "message": TEXT,
    "logEvents": [{"message": TEXT}],
}
_EACH = (
    "coalesce(doc.Records::VARCHAR[], list_transform(doc.logEvents, lambda e: e.message), "
    "CASE WHEN doc.schemaType IS NULL AND is_json_text(doc.message) THEN [doc.message] END)"
)


def _tag(names: tuple[str, ...]) -> str:
    return f"coalesce({', '.join(f'record.requestMetadata.{name}' for name in names)})"


_CARRIED = frozenset(
    [
        "request_id",
        "account_id",
        "ts",
        "prompt",
        "org_id",
        "project_id",
        "api_key_id",
        "session_id",
        "model",
        "system_prompt",
        "n_turns",
        "temperature",
        "top_p",
        "max_tokens",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "response",
        "tool_names",
    ]
)

BEDROCK = Source(
    name="bedrock",
    title="AWS Bedrock model invocation logs",
    versions="ModelInvocationLog 1.0, Converse and InvokeModel bodies of 2026",
    told_by=(
        (has("schemaType", "ModelInvocationLog"),),
        (has("Records.schemaType", "ModelInvocationLog"),),
        (has("message.schemaType", "ModelInvocationLog"),),
        (has("logEvents.message.schemaType", "ModelInvocationLog"),),
        (has("requestId"), has("modelId"), has("input.inputContentType")),
    ),
    structure=_STRUCTURE,
    beside=Beside(
        folder="data",
        mark="BodyS3Path",
        fields=(
            ("input", "inputBodyS3Path", "inputBodyJson"),
            ("output", "outputBodyS3Path", "outputBodyJson"),
        ),
    ),
    each={"item": _EACH},
    steps=(
        {
            "record": alone(_EACH, _STRUCTURE, {"Records", "logEvents", "message"}),
            "text": "coalesce(item, line)",
        },
        {
            "request": "CASE WHEN coalesce(record.input.inputBodyJson.messages::VARCHAR, "
            "record.input.inputBodyJson.inputText) IS NULL AND record.requestId IS NOT NULL "
            "THEN coalesce(TRY(json_transform(text ->> '$.input.inputBodyJson', "
            f"'{json.dumps(_ASKED, default=dict)}')), record.input.inputBodyJson) "
            "ELSE record.input.inputBodyJson END",
            "others": "CASE WHEN record.input.inputBodyJson.messages IS NULL "
            "AND record.requestId IS NOT NULL "
            f"THEN TRY(json_transform(text ->> '$.input.inputBodyJson', '{json.dumps(_OTHERS_ASKED)}')) END",
            "written": "CASE WHEN starts_with(record.output.outputBodyJson, '\"') "
            "THEN json_extract_string(record.output.outputBodyJson, '$') "
            "ELSE record.output.outputBodyJson::VARCHAR END",
        },
        {
            "messages": "with_guarded_text(CASE WHEN request.messages IS NOT NULL THEN request.messages "
            "ELSE coalesce(messages_of(request.prompt), "
            "messages_of_cohere(others.chat_history, others.message), "
            "messages_of(to_json(coalesce(request.inputText, others.textToImageParams.text, "
            "array_to_string(others.texts, chr(10) || chr(10)))))) END)",
            "answer": "CASE WHEN starts_with(written, '{') "
            f"THEN TRY(json_transform(written, '{_ANSWER}')) END",
            # With the colon it is a key of an event: in texts quotes are escaped, and a tool's name has none.
            "events": "CASE WHEN starts_with(written, '[') AND (contains(written, '\"contentBlockDelta\":') "
            "OR contains(written, '\"messageStop\":')) "
            f"THEN TRY(json_transform(written, '{_EVENTS}')) END",
            "last_chunk": "CASE WHEN starts_with(written, '[') AND contains(written, 'invocationMetrics') "
            f"THEN TRY(json_transform(json_extract(written, '$[#-1]'), '{_LAST_CHUNK}')) END",
        },
        {
            # By what was parsed: a tool's arguments may have any word in them.
            "response": "CASE WHEN answer.stopReason IS NULL AND events IS NULL "
            "THEN response_of(written) END",
            "usage": "coalesce(answer.usage, "
            "last_written(list_transform(events, lambda e: e.metadata.usage)))",
            "other_answer": "CASE WHEN answer.stopReason IS NULL AND answer.stop_reason IS NULL "
            f"AND starts_with(written, '{{') THEN TRY(json_transform(written, '{_OTHER_ANSWER}')) END",
        },
        {
            "chunks": "CASE WHEN starts_with(written, '[') AND events IS NULL "
            "AND response.stop_reason IS NULL AND response.choices[1].finish_reason IS NULL "
            f"THEN TRY(json_transform(written, '{_CHUNKS}')) END",
        },
        {
            "ended": "coalesce(answer.stopReason, answer.stop_reason, "
            "last_written(list_transform(events, lambda e: e.messageStop.stopReason)), "
            "answer.results[1].completionReason, answer.outputs[1].stop_reason, other_answer.finish_reason, "
            "other_answer.generations[1].finish_reason, other_answer.choices[1].stop_reason, "
            "last_written(list_transform(chunks, lambda c: coalesce(c.completionReason, c.stop_reason, "
            "c.finish_reason, c.outputs[1].stop_reason, c.choices[1].stop_reason))))",
        },
    ),
    is_request="record.requestId IS NOT NULL AND record.operation IS NOT NULL",
    columns={
        **BODY_COLUMNS,
        "request_id": "record.requestId",
        "ts": "record.timestamp",
        "org_id": "record.accountId",
        "api_key_id": "record.identity.arn",
        "project_id": _tag(_TENANTS),
        "end_user_id": f"coalesce({_tag(_USERS)}, {BODY_COLUMNS['end_user_id']})",
        "session_id": f"coalesce({_tag(_SESSIONS)}, {BODY_COLUMNS['session_id']})",
        "provider": "'bedrock'",
        "model": "regexp_extract(record.modelId, '([^/]*)$', 1)",
        "system_prompt": "CASE WHEN others.preamble IS NOT NULL THEN others.preamble "
        f"ELSE {BODY_COLUMNS['system_prompt']} END",
        "endpoint": "record.operation",
        "temperature": "coalesce(number_or_null(coalesce(request.inferenceConfig.temperature, "
        f"request.textGenerationConfig.temperature)), {BODY_COLUMNS['temperature']})",
        "top_p": "coalesce(number_or_null(coalesce(request.inferenceConfig.topP, "
        f"request.textGenerationConfig.topP, others.p)), {BODY_COLUMNS['top_p']})",
        "max_tokens": "coalesce(whole_or_null(coalesce(request.inferenceConfig.maxTokens, "
        "request.inferenceConfig.max_new_tokens, request.textGenerationConfig.maxTokenCount, "
        f"request.max_gen_len, others.max_tokens_to_sample)), {BODY_COLUMNS['max_tokens']})",
        "n_images": "n_images_of(messages) + "
        "list_sum(list_transform(messages, lambda m: n_occurrences(m.content::VARCHAR, '\"image\":{'))) + "
        "CASE WHEN others.images IS NOT NULL THEN len(others.images) "
        "WHEN others.inputImage IS NOT NULL THEN 1 ELSE 0 END",
        "tool_names": "coalesce(list_filter(list_transform(request.toolConfig.tools, "
        f"lambda t: t.toolSpec.name), lambda t: t IS NOT NULL), {BODY_COLUMNS['tool_names']})",
        "response_format": "CASE WHEN request.toolConfig.toolChoice.tool.name IS NOT NULL THEN 'tool' "
        f"ELSE {BODY_COLUMNS['response_format']} END",
        "thinking": "coalesce(coalesce(request.additionalModelRequestFields.thinking.type, "
        "request.additionalModelRequestFields.reasoning_config.type) <> 'disabled', "
        f"{BODY_COLUMNS['thinking']})",
        "stream": "contains(record.operation, 'Stream')",
        # Neither Converse's input nor the record's own count has cached tokens in it.
        "input_tokens": "coalesce(plus_tokens(usage.inputTokens, "
        "coalesce(usage.cacheReadInputTokens, usage.cacheReadInputTokenCount), "
        "coalesce(usage.cacheWriteInputTokens, usage.cacheWriteInputTokenCount)), "
        f"{BODY_COLUMNS['input_tokens']}, plus_tokens(record.input.inputTokenCount, "
        "record.input.cacheReadInputTokenCount, record.input.cacheWriteInputTokenCount))",
        # A stream that broke off has its first event's count alone, which stands for nothing yet.
        "output_tokens": "coalesce(usage.outputTokens, CASE WHEN starts_with(written, '[') "
        "AND response.type = 'message' AND response.stop_reason IS NULL "
        "THEN record.output.outputTokenCount END, "
        f"{BODY_COLUMNS['output_tokens']}, record.output.outputTokenCount)",
        "cached_tokens": "coalesce(usage.cacheReadInputTokens, usage.cacheReadInputTokenCount, "
        f"{BODY_COLUMNS['cached_tokens']}, record.input.cacheReadInputTokenCount)",
        "status": f"coalesce(status_of_exception(record.errorCode), {BODY_COLUMNS['status']})",
        "stop_reason": "CASE WHEN record.errorCode IS NOT NULL THEN 'error' "
        "WHEN answer.\"amazon-bedrock-guardrailAction\" = 'INTERVENED' THEN 'refusal' "
        "WHEN starts_with(written, '[') AND contains(written, 'guardrailAction') "
        f"AND regexp_matches(written, {_BLOCKS_CHUNK}) THEN 'refusal' "
        "WHEN answer.output.message IS NULL AND answer.generation IS NULL AND response IS NOT NULL "
        f"AND {BODY_COLUMNS['stop_reason']} IS NOT NULL THEN {BODY_COLUMNS['stop_reason']} "
        "ELSE stop_reason_of(ended) END",
        "response": "coalesce(joined(list_transform(answer.output.message.content, lambda p: p.text)), "
        "nullif(array_to_string(list_transform(events, lambda e: e.contentBlockDelta.delta.text), ''), ''), "
        f"answer.generation, answer.completion, {BODY_COLUMNS['response']}, "
        "answer.results[1].outputText, answer.outputs[1].text, other_answer.text, "
        "other_answer.generations[1].text, "
        "nullif(array_to_string(list_transform(chunks, lambda c: coalesce(c.outputText, c.generation, "
        "c.completion, c.text, c.outputs[1].text, c.choices[1].message.content)), ''), ''))",
        "latency_ms": "coalesce(answer.metrics.latencyMs, "
        "last_written(list_transform(events, lambda e: e.metadata.metrics.latencyMs)), "
        'last_chunk."amazon-bedrock-invocationMetrics".invocationLatency)',
        "body_state": "CASE WHEN messages IS NOT NULL THEN 'full' "
        "WHEN record.input.inputBodyS3Path IS NOT NULL THEN 'elsewhere' ELSE 'absent' END",
    },
    account=("end_user", "key", "organisation"),
    ignores=frozenset(
        {
            "schemaVersion",
            "region",
            "inferenceRegion",
            "status",
            "performanceConfig",
            "serviceTier",
            "requestMetadata.*",
            "input.inputContentType",
            "output.outputContentType",
            "output.outputBodyS3Path",
            "input.inputBodyJson.additionalModelRequestFields.*",
            "input.inputBodyJson.inferenceConfig.*",
            "input.inputBodyJson.guardrailConfig",
            "input.inputBodyJson.textGenerationConfig.*",
            "input.inputBodyJson.toolConfig.*",
            "input.inputBodyJson.additionalModelResponseFieldPaths",
            "owner",
            "logGroup",
            "logStream",
            "messageType",
            "subscriptionFilters",
            "id",
        }
    )
    | {f"input.inputBodyJson.{name}" for name in (*BODY_IGNORES, *_OTHERS_ASKED)},
    lacks={
        "ip, user_agent": "CloudTrail has them, by the same request id: links through addresses and clients",
        "top_logprobs, n_logit_bias": "only in bodies shaped like OpenAI's: soft labels and logit extraction",
        "bodies over 100 KB": "they lie in files of their own, in folders `data`: read where these were "
        "copied with the log, else counted as elsewhere: content of long prompts",
        "end_user_id, project_id, session_id": "only where callers tag their calls, with requestMetadata "
        f"named {', '.join((*_USERS, *_TENANTS, *_SESSIONS))}: without tags a role's session is the account",
    },
    writings={
        "bedrock-converse": Writing(
            "bedrock_converse", carries=_CARRIED | {"latency_ms", "thinking", "n_images"}
        ),
        "bedrock-invoke": Writing(
            "bedrock_invoke",
            carries=_CARRIED | {"reasoning_tokens", "refusal_category", "thinking"},
        ),
    },
)
