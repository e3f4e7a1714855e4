"""Features of repetition: how much of an account's text is one template, one item, one system prompt.

Here: the list. Not here: finding templates (detector.text), tallies (features.grouping).
"""

from detector.features.feature import NEVER, NO_PROMPTS, Feature

FEATURES = (
    Feature("n_prompts", "requests", "0 up", "requests whose prompt is in the log", NEVER),
    Feature(
        "item_novelty",
        "share",
        "0 to 1",
        "different prompts per prompt: 1 never asks the same twice, a regression suite does",
        NO_PROMPTS,
    ),
    Feature("top_item_share", "share", "0 to 1", "requests that are one and the same prompt", NO_PROMPTS),
    Feature(
        "repeat_share",
        "share",
        "0 to 1",
        "prompts the account already sent in the seven nights before",
        NO_PROMPTS + ", or the account has no earlier night",
    ),
    Feature(
        "top_family_share",
        "share",
        "0 to 1",
        "requests made from the account's most used template",
        NO_PROMPTS + ", or it uses no template that others share",
        "high",
    ),
    Feature("n_families", "templates", "1 up", "different templates used", "as top_family_share"),
    Feature(
        "n_systems",
        "system prompts",
        "1 up",
        "different system prompts",
        "no system prompt in the log",
        "high",
        "count",
    ),
    Feature(
        "top_system_share", "share", "0 to 1", "requests under the most used system prompt", "as n_systems"
    ),
)
