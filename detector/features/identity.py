"""Features of where an account's requests come from. How many, never which: no country is evidence."""

from detector.features.feature import Feature

FEATURES = (
    Feature("n_api_keys", "keys", "1 up", "different API keys", "the log names none", "high", "count"),
    Feature("n_ips", "addresses", "1 up", "different addresses", "the log names none", "high", "count"),
    Feature("n_asns", "networks", "1 up", "different networks", "the log names none", "high", "count"),
    Feature(
        "n_countries", "countries", "1 up", "different countries in one day", "the log names none", "high"
    ),
)
