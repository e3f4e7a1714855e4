"""Bodies of model APIs: the fields that are read of requests and responses, whoever's log they lie in.

Here: the canonical columns over bodies of OpenAI Chat Completions, OpenAI Responses and Anthropic Messages,
and the steps they are read by. Not here: the fields themselves (`body_structures`), the SQL macros
(`sql/bodies.sql`), envelopes around bodies (each a source).

A source that carries such bodies names REQUEST and RESPONSE in its structure, has the steps `request`,
`response` and `MESSAGES` in this order, and takes `BODY_COLUMNS` among its columns.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.adapters.body_structures import REQUEST, RESPONSE
from pipelines.adapters.source import Shapes

__all__ = [
    "BODY_COLUMNS",
    "BODY_IGNORES",
    "CHAT_CARRIED",
    "MESSAGES",
    "REFUSED",
    "REQUEST",
    "RESPONSE",
    "request_at",
    "response_at",
]


def request_at(path: str) -> Shapes:
    """The step `request`: the body parsed with the record, or, where it is a JSON text, by itself.

    Parameters
    ----------
    path : keys to the body from the top of the record, joined by dots; its structure is REQUEST
    """
    is_odd = f"doc.{path}.model IS NULL AND doc.{path}.messages IS NULL"
    return _parsed_or_text(path, is_odd, "request_of")


def response_at(path: str) -> Shapes:
    """The step `response`: the same for RESPONSE; streams, as chunks or server-sent events, are folded."""
    is_odd = f"doc.{path}.id IS NULL AND doc.{path}.usage IS NULL AND doc.{path}.error IS NULL"
    return _parsed_or_text(path, is_odd, "response_of")


def _parsed_or_text(path: str, is_odd: str, macro: str) -> Shapes:
    text = f"coalesce({macro}(line ->> '$.{path}'), doc.{path})"
    return Shapes(
        usual=f"doc.{path}",
        is_odd=is_odd,
        body_at=tuple(path.split(".")),
        of_any=f"CASE WHEN {is_odd} THEN {text} ELSE doc.{path} END",
    )


# CASE, not coalesce, which copies what it chooses among.
MESSAGES = (
    "CASE WHEN request.messages IS NOT NULL THEN request.messages "
    "ELSE coalesce(messages_of(request.input), messages_of(request.prompt)) END"
)
"""SQL of the step `messages`."""

_FIRST_CHOICE = "response.choices[1]"
REFUSED = (
    f"{_FIRST_CHOICE}.message.refusal <> '' OR len(list_filter(response.output, lambda o: "
    "len(list_filter(o.content, lambda p: p.type = 'refusal')) > 0)) > 0"
)
"""SQL of whether an answer is a refusal, over `response`."""
_CALLS_TOOL = (
    "response.status = 'completed' "
    "AND len(list_filter(response.output, lambda o: o.type = 'function_call')) > 0"
)

BODY_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "prompt": "last_user_text(messages)",
        "system_prompt": "system_text(messages, coalesce(request.instructions, request.system))",
        "n_turns": "n_turns_of(messages)",
        "n_images": "n_images_of(messages)",
        "tool_names": "tool_names_of(request.tools, request.functions)",
        "model": "coalesce(request.model, response.model)",
        "end_user_id": "coalesce(request.safety_identifier, request.user, "
        "person_of_agent(request.metadata.user_id))",
        "session_id": "coalesce(id_of(request.conversation), request.metadata.session_id, "
        "session_of_agent(request.metadata.user_id))",
        "provider_request_id": "response.id",
        "temperature": "number_or_null(request.temperature)",
        "top_p": "number_or_null(request.top_p)",
        "max_tokens": "whole_or_null(coalesce("
        "request.max_completion_tokens, request.max_output_tokens, request.max_tokens))",
        "n_choices": "whole_or_null(request.n)",
        # true alone asks for the chosen tokens' own; completions of old take a number here
        "top_logprobs": "whole_or_null(coalesce(request.top_logprobs, CASE request.logprobs "
        "WHEN 'true' THEN '0' WHEN 'false' THEN NULL ELSE request.logprobs END))",
        "n_logit_bias": "n_keys(request.logit_bias)",
        "stream": "truth_or_null(request.stream)",
        "thinking": "coalesce(request.thinking.type, request.reasoning_effort, request.reasoning.effort, "
        "request.reasoning.summary) NOT IN ('disabled', 'none')",
        "response_format": "coalesce(request.response_format.type, request.text.format.type, "
        "CASE WHEN request.output_config.format IS NOT NULL THEN 'json_schema' END, "
        "CASE WHEN starts_with(request.tool_choice, '{') "
        "AND request.tool_choice ->> '$.type' IN ('tool', 'function', 'custom') THEN 'tool' END)",
        # Anthropic's input leaves cached tokens out, everybody else's has them in it.
        "input_tokens": "coalesce(response.usage.prompt_tokens, "
        "CASE WHEN response.usage.input_tokens_details.cached_tokens IS NOT NULL "
        "THEN response.usage.input_tokens ELSE plus_tokens(response.usage.input_tokens, "
        "response.usage.cache_read_input_tokens, response.usage.cache_creation_input_tokens) END)",
        "output_tokens": "coalesce(response.usage.completion_tokens, response.usage.output_tokens)",
        "cached_tokens": "coalesce(response.usage.prompt_tokens_details.cached_tokens, "
        "response.usage.input_tokens_details.cached_tokens, response.usage.cache_read_input_tokens)",
        "reasoning_tokens": "coalesce(response.usage.completion_tokens_details.reasoning_tokens, "
        "response.usage.output_tokens_details.reasoning_tokens, "
        "response.usage.output_tokens_details.thinking_tokens)",
        "status": "CASE WHEN response.error IS NOT NULL THEN status_of_error("
        "response.error ->> '$.type', response.error ->> '$.code') END",
        "stop_reason": "CASE WHEN response.error IS NOT NULL THEN end_of_error(response.error) "
        f"WHEN {REFUSED} THEN 'refusal' "
        f"WHEN {_CALLS_TOOL} THEN 'tool' ELSE stop_reason_of(coalesce({_FIRST_CHOICE}.finish_reason, "
        "response.incomplete_details.reason, response.stop_reason, response.status)) END",
        "refusal_category": "response.stop_details.category",
        "response": "answer_text(response.choices, response.output, response.content)",
        "body_state": "CASE WHEN messages IS NULL THEN 'absent' ELSE 'full' END",
    }
)
"""Canonical column to SQL over `request`, `response` and `messages`."""

BODY_IGNORES = frozenset(
    {
        "frequency_penalty", "presence_penalty", "seed", "stop", "stop_sequences", "top_k", "store",
        "stream_options", "parallel_tool_calls", "function_call", "verbosity", "prediction", "modalities",
        "audio", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "service_tier",
        "moderation", "web_search_options", "previous_response_id", "max_tool_calls", "include", "truncation",
        "background", "context_management", "access_programs", "container", "cache_control", "inference_geo",
        "diagnostics", "speed", "created", "created_at", "completed_at", "system_fingerprint", "role",
        "stop_sequence", "input_transformations", "anthropic_version", "anthropic_beta", "metadata.*",
        "response_format.*", "text.*", "text.format.*", "output_config.*", "reasoning.*", "thinking.*",
        "stop_details.*", "incomplete_details.*", "usage.total_tokens", "usage.cache_creation",
        "usage.server_tool_use", "usage.service_tier", "usage.speed", "usage.inference_geo",
        "usage.prompt_tokens_details.*", "usage.completion_tokens_details.*", "usage.input_tokens_details.*",
        "usage.output_tokens_details.*",
    }
)  # fmt: skip
"""Fields of bodies that are known and tell us nothing yet."""

CHAT_CARRIED = frozenset(
    {
        "prompt", "system_prompt", "n_turns", "n_images", "tool_names", "model", "temperature", "top_p",
        "max_tokens", "n_choices", "top_logprobs", "n_logit_bias", "stream", "thinking", "response_format",
        "response", "provider_request_id", "stop_reason", "input_tokens", "output_tokens", "cached_tokens",
        "reasoning_tokens",
    }
)  # fmt: skip
"""Canonical columns that survive the way through the Chat Completions bodies of `simulate`."""
