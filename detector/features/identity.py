"""Features of where an account's requests come from. How many, never which: no country is evidence."""

from detector.features.feature import Feature


def _number_of(name: str, unit: str, meaning: str, why: str, source: str) -> Feature:
    return Feature(name, unit, "1 up", meaning, "the log names none", "high", "count", why=why, source=source)


FEATURES = (
    _number_of(
        "n_api_keys",
        "keys",
        "different API keys",
        "stolen keys are one way in; several keys in one account also spread a load",
        "Anthropic 2026-09, p. 144 (stolen keys)",
    ),
    _number_of(
        "n_ips",
        "addresses",
        "different addresses",
        "a shared account with many addresses; residential proxies give each request another",
        "AA26-251A, indicator 3",
    ),
    _number_of(
        "n_asns",
        "networks",
        "different networks",
        "people move between two or three networks, proxies between dozens",
        "AA26-251A, indicators 3 and 5",
    ),
    Feature(
        "n_countries",
        "countries",
        "1 up",
        "different countries in one day",
        "the log names none",
        "high",
        why="nobody is in five countries in one day, proxies are; how many, never which",
        source="AA26-251A, indicator 3",
    ),
    Feature(
        "country_mismatch_share",
        "share",
        "0 to 1",
        "requests from another country than the account is registered in",
        "the log or the accounts file tells no country, as two letters",
        why="a mismatch within one account, the same for every country; travellers and servers abroad have "
        "it, too, so "
        "it is not scored",
        source="Ours",
        needs=("accounts file",),
    ),
)
