"""The canonical request record: what every adapter yields and every later step may rely on.

Here: names, Arrow types and nothing else. Not here: how a log becomes such a record (adapters),
what the warehouse keeps of it (warehouse/sql/schema.sql).
"""

import pyarrow as pa

REQUEST_SCHEMA = pa.schema(
    [
        ("request_id", pa.string()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("account_id", pa.string()),
        ("prompt", pa.string()),
        ("org_id", pa.string()),
        ("project_id", pa.string()),
        ("api_key_id", pa.string()),
        ("end_user_id", pa.string()),
        ("session_id", pa.string()),
        ("trace_id", pa.string()),
        ("provider_request_id", pa.string()),
        ("attempt", pa.int32()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("endpoint", pa.string()),
        ("system_prompt", pa.string()),
        ("n_turns", pa.int32()),
        ("tool_names", pa.list_(pa.string())),
        ("n_images", pa.int32()),
        ("temperature", pa.float64()),
        ("top_p", pa.float64()),
        ("max_tokens", pa.int32()),
        ("n_choices", pa.int32()),
        ("top_logprobs", pa.int32()),
        ("n_logit_bias", pa.int32()),
        ("stream", pa.bool_()),
        ("thinking", pa.bool_()),
        ("response_format", pa.string()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cached_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("status", pa.int32()),
        ("stop_reason", pa.string()),
        ("refusal_category", pa.string()),
        ("latency_ms", pa.float64()),
        ("ip", pa.string()),
        ("country", pa.string()),
        ("asn", pa.string()),
        ("user_agent", pa.string()),
        ("client_fingerprint", pa.string()),
        ("body_state", pa.string()),
        ("sample_rate", pa.float64()),
        ("response", pa.string()),
    ]
)
"""One row per request. Only request_id, ts and account_id are required; any other may be null."""

REQUIRED = ("request_id", "ts", "account_id")

ACCOUNT_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("org_id", pa.string()),
        ("created_at", pa.timestamp("us", tz="UTC")),
        ("payment_fingerprint", pa.string()),
        ("email_domain", pa.string()),
        ("country", pa.string()),
        ("plan", pa.string()),
        ("verified", pa.bool_()),
        ("use_case", pa.string()),
        ("approved_use", pa.string()),
        ("approved_until", pa.date32()),
    ]
)
"""One row per account, from the optional accounts file; only account_id is required."""

LABEL_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("label", pa.string()),
        ("campaign", pa.string()),
        ("kind", pa.string()),
    ]
)
"""One row per account: `campaign` or `benign`, the campaign's name (null when benign), free text."""

SIMULATED_LABEL_SCHEMA = pa.schema(
    [
        *LABEL_SCHEMA,
        ("generator", pa.string()),
        ("regime", pa.string()),
        ("evasions", pa.string()),
        ("joined", pa.timestamp("us", tz="UTC")),
    ]
)
"""What a simulation knows beyond it: which generator of the kind, the campaign's regime and its evasions
(joined by `+`, empty for none), and when an account signed up during the simulated nights (else null)."""
