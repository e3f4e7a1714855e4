"""Features of how much an account asks for, alone and against its own past.

Here: the list. Not here: sums (warehouse/sql/account_day_totals.sql), history (account_day.sql).
"""

from detector.features.feature import NEVER, Feature

FEATURES = (
    Feature(
        "n_requests",
        "requests",
        "0 up",
        "requests that night (retries not counted, sampled rows scaled up)",
        NEVER,
        "high",
        "count",
    ),
    Feature("n_retries", "requests", "0 up", "rows that repeat a request after a failure", NEVER),
    Feature("input_tokens", "tokens", "0 up", "tokens sent", "the log tells no input tokens"),
    Feature(
        "output_tokens",
        "tokens",
        "0 up",
        "tokens taken from the model",
        "the log tells no output tokens",
        "high",
        "count",
    ),
    Feature(
        "usual_requests",
        "requests",
        "0 up",
        "mean of the account's earlier nights",
        "the account has no earlier night",
    ),
    Feature(
        "most_requests",
        "requests",
        "0 up",
        "largest of the account's earlier nights",
        "the account has no earlier night",
    ),
    Feature(
        "volume_z",
        "standard deviations",
        "any",
        "requests against the account's own earlier nights, on a logarithmic scale",
        "fewer than three earlier nights",
        "high",
    ),
)
