"""Features of what an account is after: capabilities, extraction techniques, new models.

Here: the list. Not here: classifying a prompt (detector.text), tallies (features.grouping).
"""

from detector.features.feature import NO_PROMPTS, Feature


def _technique(name: str, meaning: str) -> Feature:
    return Feature(f"{name}_share", "share", "0 to 1", meaning, NO_PROMPTS, "high")


FEATURES = (
    Feature("top_capability", "code of CAPABILITIES", "0 up", "capability most asked for", NO_PROMPTS),
    Feature(
        "top_capability_share", "share", "0 to 1", "requests for the capability most asked for", NO_PROMPTS
    ),
    Feature(
        "capability_concentration",
        "Herfindahl index",
        "0.07 to 1",
        "concentration on few capabilities; 1 is a single one",
        NO_PROMPTS,
    ),
    _technique("reasoning_trace", "requests that ask the model to write out its reasoning"),
    _technique("preference_labels", "requests that ask for grades, rankings or rubric scores"),
    _technique("instruction_generation", "requests that ask for new instructions or tasks"),
    _technique("trajectory", "requests that roll out tool or agent steps"),
    _technique("safety_rewrite", "requests that ask for policy-safe rewrites of sensitive questions"),
    _technique("trace_cleaning", "requests that feed captured reasoning back to be tidied"),
    _technique("any_technique", "requests that show any extraction technique"),
    Feature("n_models", "models", "1 up", "different models used", "the log names no models"),
    Feature(
        "new_model_share",
        "share",
        "0 to 1",
        "requests to models nobody used before the last two nights",
        "the log names no models, or has no night before those two",
    ),
)
