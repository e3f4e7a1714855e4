"""Features of how many writers and programs speak through one account."""

from detector.features.feature import NO_PROMPTS, Feature

FEATURES = (
    Feature(
        "n_end_users",
        "end users",
        "1 up",
        "different end users",
        "the log names no end users",
        "high",
        "count",
        why="relays carry hundreds of people's requests",
        source="Anthropic 2026-09 (relays)",
    ),
    Feature(
        "top_end_user_share",
        "share",
        "0 to 1",
        "requests by the end user who asks most",
        "the log names no end users",
        why="one person with a few helpers is no relay",
        source="Ours",
    ),
    Feature(
        "n_scripts",
        "scripts",
        "1 up",
        "different scripts the prompts are written in",
        NO_PROMPTS,
        "high",
        why="at least a dozen languages in one account; how many, never which",
        source="Anthropic 2026-09 (relays)",
        needs=("prompts",),
    ),
    Feature(
        "other_scripts_share",
        "share",
        "0 to 1",
        "prompts in another script than its most used one",
        NO_PROMPTS,
        why="one quotation in another script is not a second writer; whoever translates has two, so it is "
        "not scored",
        source="Anthropic 2026-09 (relays)",
        needs=("prompts",),
    ),
    Feature(
        "n_user_agents",
        "programs",
        "1 up",
        "different user agents",
        "the log names none",
        "high",
        "count",
        why="a shared account with many addresses and user agents",
        source="AA26-251A, indicator 3",
    ),
    Feature(
        "n_clients",
        "fingerprints",
        "1 up",
        "different client fingerprints",
        "the log names none",
        "high",
        "count",
        why="a gateway that passes on the devices of its users shows many in one account",
        source="Relay gateways",
    ),
    Feature(
        "agents_per_client",
        "user agents per fingerprint",
        "1 up",
        "different user agents per client fingerprint; none given counts as one",
        "the log names no user agents, or no fingerprints",
        why="headers and connection disagree where a gateway writes the headers; an office proxy does the "
        "same, so it "
        "is not scored",
        source="Relay gateways; AA26-251A, indicator 6",
    ),
)
