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
    ),
    Feature(
        "n_scripts", "scripts", "1 up", "different scripts the prompts are written in", NO_PROMPTS, "high"
    ),
    Feature(
        "n_user_agents", "programs", "1 up", "different user agents", "the log names none", "high", "count"
    ),
    Feature(
        "n_clients",
        "fingerprints",
        "1 up",
        "different client fingerprints",
        "the log names none",
        "high",
        "count",
    ),
)
