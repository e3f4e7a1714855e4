"""Features of repetition: how much of an account's text is one template, one item, one system prompt.

Here: the list. Not here: finding templates (detector.text), tallies (features.grouping).
"""

from detector.features.feature import NEVER, NO_PROMPTS, Feature

NO_TEMPLATE = NO_PROMPTS + ", or it uses no template that others share"

FEATURES = (
    Feature(
        "n_prompts",
        "requests",
        "0 up",
        "requests whose prompt is in the log",
        NEVER,
        why="how much the features of content rest on; 0 is a log of metadata only",
        source="Ours",
    ),
    Feature(
        "item_novelty",
        "share",
        "0 to 1",
        "different prompts per prompt: 1 never asks the same twice, a regression suite does",
        NO_PROMPTS,
        why="distillers avoid duplicates, suites and monitors live on them",
        source="Ours",
        needs=("prompts",),
    ),
    Feature(
        "top_item_share",
        "share",
        "0 to 1",
        "requests that are one and the same prompt",
        NO_PROMPTS,
        why="a health check or a stuck client, not a harvest",
        source="Ours",
        needs=("prompts",),
    ),
    Feature(
        "multi_sample_share",
        "share",
        "0 to 1",
        "requests whose prompt the account sent four times or more that night",
        NO_PROMPTS,
        why="several answers to one question are drawn to keep the best, or to vote; test suites repeat as "
        "well, so "
        "it is not scored",
        source="Wang 2023",
        needs=("prompts",),
    ),
    Feature(
        "repeat_share",
        "share",
        "0 to 1",
        "prompts the account already sent in the seven nights before",
        NO_PROMPTS + ", or the account has no earlier night",
        why="the items of an evaluation come back night after night, those of a harvest never",
        source="Ours",
        needs=("prompts", "past"),
    ),
    Feature(
        "top_family_share",
        "share",
        "0 to 1",
        "requests made from the account's most used template",
        NO_TEMPLATE,
        "high",
        why="highly repetitive structure; in one campaign the same extraction prompt stood in every request",
        source="Anthropic 2026-02; Anthropic 2026-09 (GTG-16005)",
        needs=("templates",),
    ),
    Feature(
        "top_family_nights",
        "nights",
        "1 up",
        "nights on which its most used template was seen, by whomever",
        NO_TEMPLATE,
        why="an enterprise keeps its template for months; what began last night did not grow out of a "
        "product",
        source="Ours",
        needs=("templates",),
    ),
    Feature(
        "n_families",
        "templates",
        "1 up",
        "different templates used",
        NO_TEMPLATE,
        why="one product has few",
        source="Ours",
        needs=("templates",),
    ),
    Feature(
        "shared_item_share",
        "share",
        "0 to 1",
        "items in its templates that another account sent, too",
        NO_TEMPLATE,
        why="near 0 where one list is dealt out, near 1 in a class or a suite run by several",
        source="Ours",
        needs=("templates",),
    ),
    Feature(
        "n_systems",
        "system prompts",
        "1 up",
        "different system prompts",
        "no system prompt in the log",
        "high",
        "count",
        why="other products' personas in one account are a relay's",
        source="Anthropic 2026-09 (relays)",
        needs=("prompts",),
    ),
    Feature(
        "top_system_share",
        "share",
        "0 to 1",
        "requests under the most used system prompt",
        "no system prompt in the log",
        why="tells an application from a person",
        source="Ours",
        needs=("prompts",),
    ),
)
