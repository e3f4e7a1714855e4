"""Features of dialogue: single shots or conversations, sessions, tools."""

from detector.features.feature import Feature

FEATURES = (
    Feature(
        "single_turn_share",
        "share",
        "0 to 1",
        "requests that open and end a conversation",
        "the log tells no turns",
        "high",
    ),
    Feature(
        "median_turns",
        "messages",
        "0 up",
        "median length of the conversation so far",
        "the log tells no turns",
    ),
    Feature(
        "sessions_per_request",
        "share",
        "0 to 1",
        "sessions per request; 1 never continues one",
        "the log names no sessions",
    ),
    Feature(
        "tools_share", "share", "0 to 1", "requests that offer tools to the model", "the log tells no tools"
    ),
    Feature("n_toolsets", "sets", "1 up", "different sets of tools", "no request offers tools"),
)
