"""A local server that answers in OpenAI's and Anthropic's wire formats, and the calls that are recorded.

Here: invented prompts and answers, one call per trap; and each call as a gateway would capture it. Not here:
the clients (`litellm_callback`, `sdk_gateway`). Nothing leaves the machine: the server listens on the
loopback interface alone.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

ANSWER = "The tank is full after 30 minutes."
KEY = "sk-invented-key-that-opens-nothing"
LONG = "Problem 4817: " + "a tank holds 240 litres; " * 400 + "how long does it take?"

CHAT_CALLS: tuple[Mapping[str, Any], ...] = (
    {"messages": [{"role": "user", "content": "how long until the tank is full?"}]},
    {
        "messages": [
            {"role": "system", "content": "Show every step."},
            {"role": "user", "content": [{"type": "text", "text": "merge these intervals"}]},
        ],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 256,
        "logprobs": True,
        "top_logprobs": 5,
        "user": "customer-7",
        "tools": [{"type": "function", "function": {"name": "run_tests", "parameters": {"type": "object"}}}],
    },
    {"messages": [{"role": "user", "content": LONG}]},
    {"messages": [{"role": "user", "content": "tell it as a stream"}], "stream": True},
    {"messages": [{"role": "user", "content": "please be limited"}]},
)
"""Arguments of Chat Completions; the last is answered with 429."""


_NUMBERS = count(1)

CAPTURED: list[dict[str, Any]] = []
"""What a gateway between client and server would have logged, in the order of the calls."""


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    began: datetime
    body: Mapping[str, Any]

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        self.began = datetime.now(UTC)
        self.body = body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = json.dumps(body)
        if "please be limited" in text:
            self._send(
                429, {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
            )
        elif self.path.endswith("/messages"):
            self._send(200, _message(body))
        elif self.path.endswith("/responses"):
            self._send(200, _response(body))
        elif body.get("stream"):
            self._send_stream(body)
        else:
            self._send(200, _completion(body))

    def _send(self, status: int, answer: Mapping[str, Any]) -> None:
        self._send_bytes(status, json.dumps(answer).encode(), "application/json")

    def _send_stream(self, body: Mapping[str, Any]) -> None:
        events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in _chunks(body)) + "data: [DONE]\n\n"
        self._send_bytes(200, events.encode(), "text/event-stream")

    def _send_bytes(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.send_header("x-request-id", "req_recorded")
        self.end_headers()
        self.wfile.write(content)
        text = content.decode()
        CAPTURED.append(
            {
                "ts": self.began.isoformat(),
                "end_ts": datetime.now(UTC).isoformat(),
                "path": self.path,
                "status": status,
                "client_ip": "203.0.113.24",
                "account_id": "usr-17",
                "headers": {name: value for name, value in self.headers.items() if name.lower() != "host"},
                "response_headers": {"x-request-id": f"req_{next(_NUMBERS)}"},
                "request": self.body,
                "response": json.loads(text) if kind == "application/json" else text,
            }
        )


def _completion(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{next(_NUMBERS)}",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": f"{body['model']}-2026-08-01",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}
        ],
        "usage": {
            "prompt_tokens": 61,
            "completion_tokens": 12,
            "total_tokens": 73,
            "prompt_tokens_details": {"cached_tokens": 40},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    }


def _chunks(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    base = {
        "id": f"chatcmpl-{next(_NUMBERS)}",
        "object": "chat.completion.chunk",
        "model": body["model"],
        "created": 1,
    }
    for word in ANSWER.split(" "):
        yield {**base, "choices": [{"index": 0, "delta": {"content": word + " "}, "finish_reason": None}]}
    yield {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}
    yield {**base, "choices": [], "usage": usage}


def _message(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg-{next(_NUMBERS)}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": ANSWER}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 11,
            "cache_creation_input_tokens": 20,
            "cache_read_input_tokens": 30,
            "output_tokens": 12,
        },
    }


def _response(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": f"resp-{next(_NUMBERS)}",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "model": body["model"],
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": ANSWER, "annotations": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 61,
            "input_tokens_details": {"cached_tokens": 40},
            "output_tokens": 12,
            "output_tokens_details": {"reasoning_tokens": 3},
            "total_tokens": 73,
        },
    }


@contextmanager
def answering() -> Iterator[str]:
    """The server's address, for as long as the block lasts."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
