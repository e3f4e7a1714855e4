"""The formats `vllm` and `uvicorn`: what a vLLM server says of its requests, in lines of text.

Here: its request log (--enable-log-requests; prompts at level DEBUG, answers with --enable-log-outputs), and
the access log of the web server in it. Not here: JSON that a gateway before it writes, which is to be
preferred: neither of the two knows a key or a user.

The two tell of the same calls but share no id, so where a file holds both the request log counts.
"""

from pipelines.adapters.source import TEXT, Gathering, Source, Writing, has
from pipelines.adapters.textlines import KNOWN_AS, TEXT_LINE

_RECEIVED = r"Received request ([^\s:]+): "

_LINE = f'doc."{TEXT_LINE}"'
_ID = "nullif(regexp_extract(said, '(?:Received request|\\bRequest|Generated response) ([^\\s:]+)', 1), '')"
_IS_PART = "id IS NOT NULL AND NOT contains(said, ' (streaming delta)')"
"""The whole answer has a line of its own after its pieces."""
_N_RECEIVED = (
    "count(CASE WHEN contains(said, 'Received request ') THEN 1 END) OVER (PARTITION BY id "
    "ORDER BY row_number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
)
_KEY = (
    f"concat(id, ' ', {_N_RECEIVED} - contains(said, 'Generated response ')::INTEGER, ' ', "
    "min(row_number) OVER ())"
)
"""A client may name its requests itself, and all alike: each reception begins a request of its own."""

_PARAMS = r"^.*[:,] params: (SamplingParams\(.*\)), (?:prompt_token_ids|lora_request): "
_PROMPT = ": prompt: (.*), prompt_token_ids: "
_PROMPT_OF_OLD = r": prompt: (.*), params: SamplingParams\("
_OUTPUT = ": output: (.*), output_token_ids: "
_ADAPTER = r", lora_request: LoRARequest\(lora_name=''([^'']*)''"
_FINISH = r", finish_reason: (\w+)\W*$"
_ACCESS = r'^[^"]*?([0-9a-fA-F.:\[\]]+):\d+ - "([A-Z]+) (\S+) HTTP/[0-9.]+" (\d{3})'


def _text_with(words: str) -> str:
    """SQL: of the lines of one request the first in which the server says these words."""
    # CASE, not AND: of an AND DuckDB computes both sides for every line.
    said = f"CASE WHEN contains(t, '{words}') THEN contains(said_by_server(t), '{words}') ELSE false END"
    return f"list_filter(texts, lambda t: {said})[1]"


def _param(name: str, macro: str) -> str:
    return f"{macro}(sampling_param(params, '{name}'))"


VLLM = Source(
    name="vllm",
    title="vLLM's request log, lines of text",
    versions="lines of 2024 to 2026",
    told_by=((has(KNOWN_AS, "vllm"),),),
    structure={TEXT_LINE: TEXT, "written": TEXT},
    gathering=Gathering(
        steps=({"said": f"said_by_server({_LINE})"}, {"id": _ID}),
        key=f"CASE WHEN {_IS_PART} THEN {_KEY} END",
        place="0",
        parts={"texts": _LINE, "days": "doc.written"},
        most=8,
    ),
    steps=(
        {
            "received": _text_with("Received request "),
            "details": _text_with(" details: "),
            "generated": _text_with("Generated response "),
        },
        {
            "own_id": f"regexp_extract(said_by_server(received), '{_RECEIVED}', 1)",
            "params": f"regexp_extract(received, '{_PARAMS}', 1)",
            "asked": f"CASE WHEN details IS NOT NULL THEN regexp_extract(details, '{_PROMPT}', 1) "
            f"ELSE regexp_extract(received, '{_PROMPT_OF_OLD}', 1) END",
            "answered": f"regexp_extract(generated, '{_OUTPUT}', 1)",
            "finished": f"nullif(regexp_extract(generated, '{_FINISH}', 1), 'None')",
        },
        {"prompt_text": "text_of_repr(asked)", "answer_text": "text_of_repr(answered)"},
    ),
    is_request="received IS NOT NULL",
    columns={
        "request_id": "concat(own_id, ' ', left(md5(concat(row_number, ' ', received)), 12))",
        "ts": "time_of_line(received, days[1])",
        "account_id": "'vllm'",
        "provider_request_id": "own_id",
        "model": f"nullif(regexp_extract(received, '{_ADAPTER}', 1), '')",
        "prompt": "prompt_text",
        "temperature": _param("temperature", "number_or_null"),
        "top_p": _param("top_p", "number_or_null"),
        "max_tokens": _param("max_tokens", "whole_or_null"),
        "n_choices": _param("n", "whole_or_null"),
        "top_logprobs": _param("logprobs", "whole_or_null"),
        "response": "answer_text",
        "stop_reason": "stop_reason_of(finished)",
        "body_state": "CASE WHEN prompt_text IS NOT NULL THEN 'full' ELSE 'absent' END",
    },
    account=("account",),
    lacks={
        "account_id, api_key_id, ip": "nobody is named: the whole server is one account",
        "model": "unless an adapter (LoRA) was asked for",
        "prompt": "at level DEBUG alone, and then the whole conversation as the model reads it, cut by "
        "--max-log-len: turns cannot be told apart",
        "tokens, status, latency_ms": "output economy, pace of generation, refused calls",
    },
    writings={
        "vllm": Writing(
            "vllm",
            carries=frozenset(
                {
                    "prompt", "temperature", "top_p", "max_tokens", "n_choices", "top_logprobs", "response",
                    "provider_request_id",
                }
            ),
            ending=".log",
        )
    },
)  # fmt: skip

UVICORN = Source(
    name="uvicorn",
    title="Access log of uvicorn, before vLLM and others, lines of text with times",
    versions="uvicorn's own access line; recorded: 0.54.0",
    told_by=((has(KNOWN_AS, "uvicorn"),),),
    structure={TEXT_LINE: TEXT, "written": TEXT},
    steps=(
        {"said": _LINE},
        {"call": f"regexp_extract(said, '{_ACCESS}', ['address', 'method', 'path', 'status'])"},
    ),
    is_request="call.method = 'POST' AND is_model_path(call.path)",
    columns={
        # Two calls of one client in one second have the same line.
        "request_id": "concat('line-', md5(concat(row_number, ' ', line)))",
        "ts": "time_of_line(said, doc.written)",
        "account_id": "address_alone(call.address)",
        "endpoint": "split_part(call.path, '?', 1)",
        "status": "call.status",
        "ip": "address_alone(call.address)",
        "body_state": "'absent'",
    },
    account=("account",),
    lacks={
        "account_id, api_key_id": "an address is the account: who has several is several, and those behind "
        "one are one",
        "ts": "uvicorn writes no times of its own: unless its log settings or a container's runtime add "
        "them, every line is refused",
        "model": "which models are asked for",
    },
    writings={"uvicorn": Writing("uvicorn", carries=frozenset({"ip", "endpoint", "status"}), ending=".log")},
)
