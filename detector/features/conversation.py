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
        why="harvested items stand alone; people answer back",
        source="Anthropic 2026-02 (repetitive structure)",
    ),
    Feature(
        "median_turns",
        "messages",
        "0 up",
        "median length of the conversation so far",
        "the log tells no turns",
        why="long conversations are people's and agents'",
        source="Ours",
    ),
    Feature(
        "sessions_per_request",
        "share",
        "0 to 1",
        "sessions per request; 1 never continues one",
        "the log names no sessions",
        why="gateways that pool accounts rewrite session ids, and conversations fall to pieces",
        source="Relay gateways",
    ),
    Feature(
        "tools_share",
        "share",
        "0 to 1",
        "requests that offer tools to the model",
        "the log tells no tools",
        why="tells agents from other uses",
        source="Ours",
    ),
    Feature(
        "n_toolsets",
        "sets",
        "1 up",
        "different sets of tools",
        "no request offers tools",
        why="one product has few; a relay carries those of many",
        source="Anthropic 2026-09 (relays)",
    ),
)
