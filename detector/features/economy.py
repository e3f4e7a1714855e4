"""Features of what an account gets for its tokens: long answers, cut answers, refusals, errors."""

from detector.features.feature import Feature

FEATURES = (
    Feature(
        "output_tokens_mean",
        "tokens per request",
        "0 up",
        "mean length of an answer",
        "the log tells no output tokens",
        "high",
        "count",
    ),
    Feature(
        "output_ratio",
        "output / input tokens",
        "0 up",
        "tokens taken per token sent",
        "no request tells both numbers",
        "high",
        "count",
    ),
    Feature(
        "length_stop_share",
        "share",
        "0 to 1",
        "answers cut by the length limit",
        "the log tells no stop reasons",
    ),
    Feature(
        "refusal_share",
        "share",
        "0 to 1",
        "answers refused or filtered",
        "the log tells no stop reasons",
        "high",
    ),
    Feature("error_share", "share", "0 to 1", "requests that failed", "the log tells no status"),
)
