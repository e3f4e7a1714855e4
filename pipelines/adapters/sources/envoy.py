"""The format `envoy`: the access log of Envoy AI Gateway, as its examples name the keys.

Here: keys with dots in them, which are keys and no paths. Not here: its traces, which have bodies (`otel`).
An access log holds no bodies: everything about content is absent, never zero.
"""

from pipelines.adapters.source import TEXT, Source, Writing, has

_ACCOUNTS = ("account.id", "user.id", "x-account-id", "x-user-id")
_TENANTS = ("tenant.id", "x-tenant-id")
_KEYS = ("api_key.hash", "api_key_hash", "key_hash")
_PATHS = ("x-envoy-origin-path", "x-envoy-original-path", ":path", "path")


def _first(*names: str) -> str:
    found = [f'dash_to_null(doc."{name}")' for name in names]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


_READ = (
    "start_time",
    "method",
    "response_code",
    "duration",
    "x-forwarded-for",
    "user-agent",
    "x-request-id",
    "traceparent",
    "downstream_remote_address",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.provider.name",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.cached_input_tokens",
    "gen_ai.usage.reasoning_tokens",
    "session.id",
    *_ACCOUNTS,
    *_TENANTS,
    *_KEYS,
    *_PATHS,
)

ENVOY = Source(
    name="envoy",
    title="Envoy AI Gateway access log",
    versions="the keys of its examples, main of 2026-08; recorded: Envoy 1.40.0 without the gateway",
    told_by=(
        (has("gen_ai.request.model"), has("response_code")),
        (has("gen_ai.usage.input_tokens"), has("response_code")),
    ),
    structure=dict.fromkeys(_READ, TEXT),
    steps=({"path": f"split_part({_first(*_PATHS)}, '?', 1)"},),
    is_request=f"{_first('gen_ai.request.model')} IS NOT NULL OR is_model_path(path)",
    columns={
        "request_id": f"coalesce({_first('x-request-id')}, concat('line-', md5(line)))",
        "ts": _first("start_time"),
        "account_id": _first(*_ACCOUNTS),
        "org_id": _first(*_TENANTS),
        "api_key_id": f"key_name({_first(*_KEYS)})",
        "session_id": _first("session.id"),
        "trace_id": f"nullif(split_part({_first('traceparent')}, '-', 2), '')",
        "provider": _first("gen_ai.provider.name"),
        "model": _first("gen_ai.request.model", "gen_ai.response.model"),
        "endpoint": "path",
        "input_tokens": _first("gen_ai.usage.input_tokens"),
        "output_tokens": _first("gen_ai.usage.output_tokens"),
        "cached_tokens": _first("gen_ai.usage.cached_input_tokens"),
        "reasoning_tokens": _first("gen_ai.usage.reasoning_tokens"),
        # 0: the caller left before there was an answer
        "status": f"CASE {_first('response_code')} WHEN '0' THEN '499' ELSE {_first('response_code')} END",
        "latency_ms": _first("duration"),
        "ip": f"client_address(first_address({_first('downstream_remote_address')}), "
        f"{_first('x-forwarded-for')})",
        "user_agent": _first("user-agent"),
        "body_state": "'absent'",
    },
    account=("account", "key", "organisation"),
    ignores=frozenset(
        {
            "response_code_details",
            "response_flags",
            "bytes_received",
            "bytes_sent",
            "upstream_host",
            "route_name",
            "x-envoy-upstream-service-time",
            ":authority",
            "gen_ai.usage.total_tokens",
            "protocol",
            "upstream_cluster",
            "upstream_transport_failure_reason",
            "upstream_local_address",
            "downstream_local_address",
            "requested_server_name",
            "connection_termination_details",
        }
    ),
    lacks={
        "account_id": "not in the log until a header is mapped: name it account.id, user.id, api_key.hash "
        "or tenant.id in the log's format",
    },
    writings={
        "envoy": Writing(
            "envoy",
            carries=frozenset(
                [
                    "request_id",
                    "account_id",
                    "org_id",
                    "api_key_id",
                    "session_id",
                    "provider",
                    "model",
                    "endpoint",
                    "input_tokens",
                    "output_tokens",
                    "cached_tokens",
                    "reasoning_tokens",
                    "status",
                    "ip",
                    "user_agent",
                ]
            ),
        )
    },
)
