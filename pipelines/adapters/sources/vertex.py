"""The format `vertex`: request-response logs of Vertex AI, exported from BigQuery.

Here: Gemini's bodies, and the calls of partners' models (`rawPredict`), whose bodies are their own. Not here:
Cloud Audit Logs, which have who called from where and share no id with these rows.
"""

import json
from collections.abc import Mapping
from typing import Any

from pipelines.adapters.source import AS_JSON, TEXT, Shapes, Source, Writing, has
from pipelines.adapters.sources.bodies import BODY_COLUMNS, CHAT_CARRIED, MESSAGES

_USERS = ("user_id", "user", "end_user", "customer", "customer_id")
_TENANTS = ("tenant_id", "tenant", "org_id", "organisation", "organization", "team")

_MEDIA = {"mimeType": TEXT}
_ASKED: Mapping[str, Any] = {
    "contents": [{"role": TEXT, "parts": [{"text": TEXT, "inlineData": _MEDIA, "fileData": _MEDIA}]}],
    "systemInstruction": {"parts": [{"text": TEXT}]},
    "tools": [{"functionDeclarations": [{"name": TEXT}]}],
    "generationConfig": {
        **dict.fromkeys(
            ("temperature", "topP", "candidateCount", "maxOutputTokens", "responseLogprobs", "logprobs"),
            TEXT,
        ),
        "responseMimeType": TEXT,
        "responseSchema": AS_JSON,
        "responseJsonSchema": AS_JSON,
        "thinkingConfig": {"thinkingBudget": TEXT, "includeThoughts": TEXT, "thinkingLevel": TEXT},
    },
    "labels": dict.fromkeys((*_USERS, *_TENANTS), TEXT),
}
_ANSWERED: Mapping[str, Any] = {
    "candidates": [
        {
            "content": {"parts": [{"text": TEXT, "thought": TEXT, "functionCall": AS_JSON}]},
            "finishReason": TEXT,
        }
    ],
    "usageMetadata": dict.fromkeys(
        ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"),
        TEXT,
    ),
    "promptFeedback": {"blockReason": TEXT},
    "responseId": TEXT,
    "modelVersion": TEXT,
    "error": {"code": TEXT},
}

_IS_PARTNER = "contains(lower(doc.api_method), 'rawpredict')"
_HAS_ASKED = "doc.full_request.contents IS NOT NULL"
_HAS_ANSWERED = (
    "coalesce(doc.full_response.candidates IS NOT NULL OR doc.full_response.error IS NOT NULL "
    "OR doc.full_response.promptFeedback IS NOT NULL, false)"
)


def _text_of(body: str, payload: str) -> str:
    """SQL of a body's text, however it is logged."""
    return f"coalesce(nullif(line ->> '$.{body}', 'null'), nullif(array_to_string(doc.{payload}, ''), ''))"


_ASKED_TEXT = _text_of("full_request", "request_payload")
_ANSWERED_TEXT = _text_of("full_response", "response_payload")


def _gemini(is_there: str, *, usual: str, parsed: str, body: str) -> Shapes:
    """The step of one of Gemini's bodies: parsed with the record as a rule, else from its text."""
    is_usual = f"({is_there} AND coalesce(NOT {_IS_PARTNER}, false))"
    return Shapes(
        usual=usual,
        is_odd=f"NOT {is_usual}",
        of_any=f"CASE WHEN {is_usual} THEN {usual} WHEN NOT {_IS_PARTNER} THEN TRY({parsed}) END",
        body_at=(body,),
    )


def _partners(macro: str, text: str) -> Shapes:
    """The step of a partner's body; of a constant null DuckDB would not know the structure."""
    return Shapes(
        usual=f"{macro}(left(line, 0))",
        is_odd=_IS_PARTNER,
        of_any=f"CASE WHEN {_IS_PARTNER} THEN {macro}({text}) END",
    )


def _label(names: tuple[str, ...]) -> str:
    return f"coalesce({', '.join(f'asked.labels.{name}' for name in names)})"


def _set(name: str) -> str:
    return f"asked.generationConfig.{name}"


_THINKS = "asked.generationConfig.thinkingConfig"
_FINISHED = "last_written(list_transform(chunks, lambda a: a.candidates[1].finishReason))"
_BLOCKED = "last_written(list_transform(chunks, lambda a: a.promptFeedback.blockReason))"
_FAILED = "last_written(list_transform(chunks, lambda a: a.error.code))"

VERTEX = Source(
    name="vertex",
    title="Vertex AI request-response logs (BigQuery)",
    versions="google-genai 3.4 bodies, the tables of 2026",
    told_by=(
        (has("full_request"), has("api_method")),
        (has("request_payload"), has("api_method"), has("logging_time")),
    ),
    structure={
        **dict.fromkeys(("endpoint", "logging_time", "request_id", "model", "api_method"), TEXT),
        "full_request": _ASKED,
        "full_response": _ANSWERED,
        "request_payload": [TEXT],
        "response_payload": [TEXT],
        "metadata": AS_JSON,
    },
    steps=(
        {
            "asked": _gemini(
                _HAS_ASKED,
                usual="doc.full_request",
                parsed=f"json_transform({_ASKED_TEXT}, '{json.dumps(_ASKED)}')",
                body="full_request",
            ),
            # A stream is logged as a list of answers.
            "chunks": _gemini(
                _HAS_ANSWERED,
                usual="[doc.full_response]",
                parsed=f"json_transform(as_list_text({_ANSWERED_TEXT}), '{json.dumps([_ANSWERED])}')",
                body="full_response",
            ),
            "request": _partners("request_of", _ASKED_TEXT),
            "response": _partners("response_of", _ANSWERED_TEXT),
        },
        {
            "messages": f"coalesce(messages_of_contents(asked.contents), {MESSAGES})",
            "usage": "last_written(list_transform(chunks, lambda a: a.usageMetadata))",
            "took": "opened_text(doc.metadata) ->> '$.request_latency'",
        },
    ),
    is_request="doc.api_method IS NULL OR NOT contains(lower(doc.api_method), 'counttokens')",
    columns={
        **BODY_COLUMNS,
        # A number beyond what a double holds; BigQuery's NUMERIC comes with nine decimals in Parquet.
        "request_id": "coalesce(regexp_replace(doc.request_id, '\\.0+$', ''), concat('record-', md5(line)))",
        "ts": "doc.logging_time",
        "org_id": _label(_TENANTS),
        "project_id": "nullif(regexp_extract(doc.endpoint, 'projects/([^/]+)', 1), '')",
        "end_user_id": f"coalesce({_label(_USERS)}, {BODY_COLUMNS['end_user_id']})",
        "provider_request_id": f"coalesce({BODY_COLUMNS['provider_request_id']}, "
        "last_written(list_transform(chunks, lambda a: a.responseId)))",
        "provider": "'vertex'",
        "model": f"coalesce(doc.model, {BODY_COLUMNS['model']}, "
        "nullif(regexp_extract(doc.endpoint, 'models/([^/:]+)', 1), ''), "
        "last_written(list_transform(chunks, lambda a: a.modelVersion)))",
        "endpoint": "doc.api_method",
        "system_prompt": f"coalesce(joined(list_transform(asked.systemInstruction.parts, lambda p: p.text)), "
        f"{BODY_COLUMNS['system_prompt']})",
        "n_images": f"coalesce(n_media_of(asked.contents), {BODY_COLUMNS['n_images']})",
        "tool_names": "coalesce(CASE WHEN asked.tools IS NOT NULL THEN list_filter(flatten(list_transform("
        "asked.tools, lambda t: list_transform(t.functionDeclarations, lambda f: f.name))), "
        f"lambda n: n IS NOT NULL) END, {BODY_COLUMNS['tool_names']})",
        "temperature": f"coalesce(number_or_null({_set('temperature')}), {BODY_COLUMNS['temperature']})",
        "top_p": f"coalesce(number_or_null({_set('topP')}), {BODY_COLUMNS['top_p']})",
        "max_tokens": f"coalesce(whole_or_null({_set('maxOutputTokens')}), {BODY_COLUMNS['max_tokens']})",
        "n_choices": f"coalesce(whole_or_null({_set('candidateCount')}), {BODY_COLUMNS['n_choices']})",
        "top_logprobs": f"coalesce(whole_or_null({_set('logprobs')}), "
        f"CASE WHEN {_set('responseLogprobs')} = 'true' THEN 0 END, {BODY_COLUMNS['top_logprobs']})",
        "response_format": f"CASE WHEN coalesce({_set('responseSchema')}, {_set('responseJsonSchema')}) "
        f"IS NOT NULL THEN 'json_schema' WHEN {_set('responseMimeType')} = 'application/json' "
        f"THEN 'json_object' ELSE {BODY_COLUMNS['response_format']} END",
        "thinking": f"CASE WHEN {_THINKS}.thinkingBudget = '0' THEN false WHEN coalesce("
        f"{_THINKS}.thinkingBudget, {_THINKS}.includeThoughts, {_THINKS}.thinkingLevel) IS NOT NULL "
        f"THEN true ELSE {BODY_COLUMNS['thinking']} END",
        "stream": "starts_with(lower(doc.api_method), 'stream')",
        "input_tokens": f"coalesce(usage.promptTokenCount, {BODY_COLUMNS['input_tokens']})",
        # Gemini counts thoughts apart from the answer.
        "output_tokens": "coalesce(plus_tokens(usage.candidatesTokenCount, usage.thoughtsTokenCount, NULL), "
        f"usage.thoughtsTokenCount, {BODY_COLUMNS['output_tokens']})",
        "cached_tokens": f"coalesce(usage.cachedContentTokenCount, {BODY_COLUMNS['cached_tokens']})",
        "reasoning_tokens": f"coalesce(usage.thoughtsTokenCount, {BODY_COLUMNS['reasoning_tokens']})",
        "status": f"coalesce(whole_or_null({_FAILED}), {BODY_COLUMNS['status']})",
        "stop_reason": f"CASE WHEN {_FAILED} IS NOT NULL THEN 'error' "
        f"WHEN {_BLOCKED} IS NOT NULL THEN 'refusal' "
        f"WHEN {_FINISHED} = 'STOP' AND calls_function(chunks) THEN 'tool' "
        f"ELSE coalesce(stop_reason_of({_FINISHED}), {BODY_COLUMNS['stop_reason']}) END",
        # Metadata have no schema: a time that is no number is no reason to refuse the call.
        "latency_ms": "number_or_null(took)",
        "response": f"coalesce(gemini_answer_text(chunks), {BODY_COLUMNS['response']})",
    },
    account=("end_user", "project", "organisation"),
    ignores=frozenset(
        {
            "deployed_model_id", "model_version", "otel_log", "full_request.*", "full_request.labels.*",
            "full_request.systemInstruction.*", "full_request.generationConfig.*",
            "full_request.generationConfig.thinkingConfig.*", "full_response.*",
            "full_response.usageMetadata.*", "full_response.promptFeedback.*", "full_response.error.*",
        }
    ),
    lacks={
        "account_id": "only where calls are labelled (user_id, tenant_id): without labels a project is one "
        "account; who called is in Cloud Audit Logs alone",
        "ip, user_agent": "in Cloud Audit Logs alone: links through addresses and clients",
        "completeness": "the sampled share is not in the rows: queues, pace and volume are the sample's",
    },
    writings={
        "vertex": Writing(
            "vertex",
            carries=CHAT_CARRIED - {"n_logit_bias", "response_format", "stream"}
            | {"request_id", "ts", "account_id", "org_id", "project_id", "latency_ms"},
        )
    },
)  # fmt: skip
