"""The format `nginx`: the access log `llm_edge` of an edge before a model server, one JSON object per call.

Here: exactly the log_format that docs/how-to/edge-logs.md gives. Not here: nginx's own default line, which
knows no key. An access log holds no bodies: everything about content is absent, never zero.
"""

from pipelines.adapters.source import TEXT, Source, Writing, has

_FIELDS = (
    "ts",
    "msec",
    "request_id",
    "remote_addr",
    "xff",
    "ua",
    "method",
    "uri",
    "status",
    "request_time",
    "key_hash",
    "sdk",
    "sdk_version",
    "sdk_os",
    "sdk_runtime",
    "ja4",
    "upstream_request_id",
    "trace_id",
)
_SDK = ", ".join(f"dash_to_null(doc.{name})" for name in ("sdk", "sdk_version", "sdk_os", "sdk_runtime"))

NGINX = Source(
    name="nginx",
    title="nginx access log in the format llm_edge",
    versions="nginx 1.11.8 and later (escape=json); recorded: 1.22.1",
    told_by=((has("msec"), has("remote_addr"), has("uri"), has("request_time")),),
    structure=dict.fromkeys(_FIELDS, TEXT),
    steps=(
        {
            "at_us": "us_of_text(dash_to_null(doc.msec))",
            "taken_s": "number_or_null(dash_to_null(doc.request_time))",
        },
    ),
    is_request="doc.method = 'POST' AND is_model_path(doc.uri)",
    columns={
        "request_id": "coalesce(dash_to_null(doc.request_id), concat('line-', md5(line)))",
        # nginx writes its line when the answer has gone out: the call came in before.
        "ts": "coalesce((at_us - coalesce(round(taken_s * 1e6)::BIGINT, 0))::VARCHAR, doc.ts)",
        "api_key_id": "key_name(dash_to_null(doc.key_hash))",
        "provider_request_id": "dash_to_null(doc.upstream_request_id)",
        "trace_id": "dash_to_null(doc.trace_id)",
        "endpoint": "split_part(doc.uri, '?', 1)",
        "status": "dash_to_null(doc.status)",
        "latency_ms": "taken_s * 1e3",
        "ip": "client_address(dash_to_null(doc.remote_addr), dash_to_null(doc.xff))",
        "user_agent": "dash_to_null(doc.ua)",
        "client_fingerprint": f"coalesce(dash_to_null(doc.ja4), nullif(concat_ws(' ', {_SDK}), ''))",
        "body_state": "'absent'",
    },
    account=("key",),
    ignores=frozenset({"request_length", "bytes_sent", "upstream_time"}),
    lacks={
        "account_id": "only the key is known: who holds several is several, unless addresses and clients tie",
        "model": "which models are asked for, and who comes first to a new one",
    },
    writings={
        "nginx": Writing(
            "nginx",
            carries=frozenset(
                [
                    "request_id",
                    "account_id",
                    "provider_request_id",
                    "endpoint",
                    "status",
                    "ip",
                    "user_agent",
                    "client_fingerprint",
                ]
            ),
        )
    },
)
