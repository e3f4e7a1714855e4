"""Features of how requests are configured: one fixed set of parameters, probabilities, many choices.

A set of parameters is the tuple of temperature, top_p, max_tokens, n_choices, top_logprobs,
n_logit_bias, response_format, stream and thinking.
"""

from detector.features.feature import Feature

UNSET = "no request of the account sets any parameter, or the log does not tell"

FEATURES = (
    Feature(
        "n_parameter_sets",
        "sets",
        "1 up",
        "different sets of sampling parameters",
        UNSET,
        "high",
        "count",
        why="one product has few; a relay passes on those of every user's program",
        source="Relay gateways",
    ),
    Feature(
        "top_parameters_share",
        "share",
        "0 to 1",
        "requests with the most used set of parameters",
        UNSET,
        why="constancy tells a program from people's clients",
        source="Ours",
    ),
    Feature(
        "top_parameters",
        "hash",
        "1 to 2^64 - 1",
        "the most used set of parameters: equal sets, equal numbers, as long as DuckDB is not upgraded",
        UNSET,
        why="shows which accounts are configured alike, and on how many nights",
        source="Ours",
    ),
    Feature(
        "parameters_constancy",
        "share",
        "0 to 1",
        "of its earlier nights in the last seven: those with the same most used set of parameters",
        UNSET + "; or not on an earlier night of the last seven",
        why="a pipeline keeps its configuration while its accounts come and go; so does every product, so it "
        "is not "
        "scored",
        source="Ours",
        needs=("past",),
    ),
    Feature(
        "zero_temperature_share",
        "share",
        "0 to 1",
        "requests at temperature 0",
        "no request sets a temperature",
        why="evaluations and extraction of facts ask for the most likely answer",
        source="Ours",
    ),
    Feature(
        "soft_label_share",
        "share",
        "0 to 1",
        "requests that ask for token probabilities or bias them",
        UNSET,
        "high",
        why="probabilities teach a student more than the words do",
        source="Hinton 2015",
    ),
    Feature(
        "max_top_logprobs",
        "tokens",
        "0 up",
        "most alternatives asked for per token",
        "no request asks for token probabilities, or the log does not tell",
        why="a check of confidence needs one alternative, a soft label all there are; scored as "
        "`soft_label_share`",
        source="Hinton 2015",
    ),
    Feature(
        "multi_choice_share",
        "share",
        "0 to 1",
        "requests that ask for several answers at once",
        UNSET,
        "high",
        why="several answers to one question are drawn to keep the best, or to vote",
        source="Wang 2023",
    ),
    Feature(
        "choices_per_request",
        "answers per request",
        "1 up",
        "mean number of answers asked for at once",
        UNSET,
        why="what a request counts for: one for 64 answers is a batch; scored as `multi_choice_share`",
        source="Wang 2023",
    ),
    Feature(
        "median_max_tokens",
        "tokens",
        "0 up",
        "median of the longest answer it allows",
        "no request sets max_tokens, or the log does not tell",
        why="classification asks for ten tokens, a written-out trace for thousands",
        source="Ours",
    ),
    Feature(
        "thinking_share",
        "share",
        "0 to 1",
        "requests with the model's own reasoning switched on",
        "the log does not tell",
        why="reasoning is the main target; classification switches it off; told without reading a prompt",
        source="GTIG 2026-02",
    ),
)
