"""Features of an account's life: age, first burst, silence, growth, and what it was approved for."""

from detector.features.feature import Feature

FIRST_NIGHT = "nothing was scanned before this night"
UNSEEN = "the account has no earlier night"

FEATURES = (
    Feature(
        "account_age_days",
        "days",
        "0 up",
        "age of the account",
        "the accounts file does not tell, or tells a later day",
        "low",
        "count",
    ),
    Feature("nights_seen", "nights", "0 up", "earlier nights with a request", FIRST_NIGHT),
    Feature("days_since_first_seen", "days", "0 up", "days since its first request in the log", FIRST_NIGHT),
    Feature("dormant_days", "days", "0 up", "days of silence before this night", UNSEEN),
    Feature(
        "growth_ratio", "ratio", "0 up", "requests against the account's first night", UNSEEN, "high", "count"
    ),
    Feature(
        "is_approved",
        "yes or no",
        "yes or no",
        "has an approved use that is valid on the day",
        "the account is not in the accounts file",
    ),
)
