"""Features of how requests are configured: one fixed set of parameters, probabilities, many choices.

A set of parameters is the tuple of temperature, top_p, max_tokens, n_choices, top_logprobs,
n_logit_bias, response_format, stream and thinking.
"""

from detector.features.feature import Feature

UNSET = "no request of the account sets any parameter, or the log does not tell"

FEATURES = (
    Feature(
        "n_parameter_sets", "sets", "1 up", "different sets of sampling parameters", UNSET, "high", "count"
    ),
    Feature(
        "top_parameters_share", "share", "0 to 1", "requests with the most used set of parameters", UNSET
    ),
    Feature(
        "zero_temperature_share",
        "share",
        "0 to 1",
        "requests at temperature 0",
        "no request sets a temperature",
    ),
    Feature(
        "soft_label_share",
        "share",
        "0 to 1",
        "requests that ask for token probabilities or bias them",
        UNSET,
        "high",
    ),
    Feature(
        "multi_choice_share",
        "share",
        "0 to 1",
        "requests that ask for several answers at once",
        UNSET,
        "high",
    ),
)
