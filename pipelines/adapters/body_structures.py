"""The fields that are read of request and response bodies, as the JSON structures DuckDB parses them into.

Here: one structure for the requests and one for the responses of OpenAI Chat Completions, OpenAI Responses
and Anthropic Messages together: a log mixes them, and no two use one name for different things. Not here:
what the fields mean (`sources.bodies`, `sql/bodies.sql`).
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pipelines.adapters.source import AS_JSON, TEXT

REQUEST: Mapping[str, Any] = MappingProxyType(
    {
        "model": TEXT,
        "messages": [{"role": TEXT, "content": AS_JSON}],
        "input": AS_JSON,
        "prompt": AS_JSON,
        "instructions": AS_JSON,
        "system": AS_JSON,
        "max_tokens": TEXT,
        "max_completion_tokens": TEXT,
        "max_output_tokens": TEXT,
        "temperature": TEXT,
        "top_p": TEXT,
        "n": TEXT,
        "logprobs": TEXT,
        "top_logprobs": TEXT,
        "logit_bias": AS_JSON,
        "response_format": {"type": TEXT},
        "text": {"format": {"type": TEXT}},
        "output_config": {"format": AS_JSON},
        "tools": [{"type": TEXT, "name": TEXT, "function": {"name": TEXT}, "custom": {"name": TEXT}}],
        "functions": [{"name": TEXT}],
        "tool_choice": AS_JSON,
        "reasoning_effort": TEXT,
        "reasoning": {"effort": TEXT, "summary": TEXT},
        "thinking": {"type": TEXT},
        "stream": TEXT,
        "user": TEXT,
        "safety_identifier": TEXT,
        "metadata": {"user_id": TEXT, "session_id": TEXT},
        "conversation": AS_JSON,
    }
)

_PART = {"type": TEXT, "text": TEXT, "content": AS_JSON, "refusal": TEXT}
_CHOICE = {"finish_reason": TEXT, "text": TEXT, "message": {"content": AS_JSON, "refusal": TEXT}}

RESPONSE: Mapping[str, Any] = MappingProxyType(
    {
        "id": TEXT,
        "object": TEXT,
        "type": TEXT,
        "status": TEXT,
        "model": TEXT,
        "choices": [_CHOICE],
        "output": [{"type": TEXT, "content": [_PART]}],
        "content": [_PART],
        "stop_reason": TEXT,
        "stop_details": {"category": TEXT},
        "incomplete_details": {"reason": TEXT},
        "error": AS_JSON,
        "usage": {
            "prompt_tokens": TEXT,
            "completion_tokens": TEXT,
            "prompt_tokens_details": {"cached_tokens": TEXT},
            "completion_tokens_details": {"reasoning_tokens": TEXT},
            "input_tokens": TEXT,
            "output_tokens": TEXT,
            "input_tokens_details": {"cached_tokens": TEXT},
            "output_tokens_details": {"reasoning_tokens": TEXT, "thinking_tokens": TEXT},
            "cache_creation_input_tokens": TEXT,
            "cache_read_input_tokens": TEXT,
        },
    }
)

CHUNK = [
    {
        "id": TEXT,
        "type": TEXT,
        "model": TEXT,
        "choices": [{"index": TEXT, "finish_reason": TEXT, "delta": {"content": TEXT, "refusal": TEXT}}],
        "response": AS_JSON,
        "message": AS_JSON,
        "delta": {"text": TEXT, "stop_reason": TEXT, "stop_details": AS_JSON},
        "usage": AS_JSON,
        "error": AS_JSON,
        "code": TEXT,
    }
]
"""One event of a streamed answer, of any of the three."""

STRUCTURES = {
    "request_structure": json.dumps(REQUEST, default=dict),
    "response_structure": json.dumps(RESPONSE, default=dict),
    "chunk_structure": json.dumps(CHUNK),
}
"""The same as texts, by the names of the macros that `sql/bodies.sql` has them by."""
