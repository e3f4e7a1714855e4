"""Features of what an account is after: capabilities, extraction techniques, new models.

Here: the list. Not here: classifying a prompt (detector.text), tallies (features.grouping), distances between
nights (features.shift).
"""

from detector.features.feature import NO_PROMPTS, Feature

NO_MODELS = "the log names no models, or has no night before those two"
NO_HABIT = NO_PROMPTS + ", or fewer than 20 tonight or in the seven nights before"


def _technique(name: str, meaning: str, why: str, source: str) -> Feature:
    return Feature(
        f"{name}_share",
        "share",
        "0 to 1",
        meaning,
        NO_PROMPTS,
        "high",
        why=why,
        source=source,
        needs=("prompts",),
    )


FEATURES = (
    Feature(
        "top_capability",
        "code of CAPABILITIES",
        "0 to 14",
        "capability most asked for",
        NO_PROMPTS,
        why="what is harvested: coding, agents, reasoning ...",
        source="Anthropic 2026-02",
        needs=("prompts",),
    ),
    Feature(
        "top_capability_share",
        "share",
        "0 to 1",
        "requests for the capability most asked for",
        NO_PROMPTS,
        why="aimed at one narrow capability; every single-purpose product is, so it is not scored",
        source="Anthropic 2026-02",
        needs=("prompts",),
    ),
    Feature(
        "capability_concentration",
        "Herfindahl index",
        "0.07 to 1",
        "concentration on few capabilities; 1 is a single one",
        NO_PROMPTS,
        why="massive volume concentrated in few areas; every single-purpose product is, so it is not scored",
        source="Anthropic 2026-02; Hirschman 1964",
        needs=("prompts",),
    ),
    Feature(
        "capability_counts",
        "requests",
        "15 counts",
        "requests for each capability, in the order of CAPABILITIES",
        NO_PROMPTS,
        why="mixes add up over accounts and nights",
        source="Ours",
        needs=("prompts",),
    ),
    Feature(
        "capability_shift_bits",
        "bits",
        "0 to 1",
        "change of the capabilities asked for against the seven nights before: 0 is the usual mix",
        NO_HABIT,
        why="a stolen key or a resold account is put to other work; so is a customer's with a new product, "
        "so it is not scored",
        source="Lin 1991; Anthropic 2026-09, p. 144 (stolen keys)",
        needs=("prompts", "past"),
    ),
    Feature(
        "capability_narrowing",
        "Herfindahl index",
        "-1 to 1",
        "concentration on few capabilities against the mean of the seven nights before; above 0 is narrower",
        NO_PROMPTS + ", or in the seven nights before",
        why="rounds of training aim each at what the last one left weak: what an account-day can show of it",
        source="Ours",
        needs=("prompts", "past"),
    ),
    _technique(
        "reasoning_trace",
        "requests that ask the model to write out its reasoning",
        "prompts to articulate the internal reasoning behind a completed answer",
        "AA26-251A, indicator 7; GTIG 2026-02",
    ),
    _technique(
        "preference_labels",
        "requests that ask for grades, rankings or rubric scores",
        "rubric-based grading used the model as a reward model",
        "Anthropic 2026-02",
    ),
    _technique(
        "instruction_generation",
        "requests that ask for new instructions or tasks",
        "pipelines have tasks, solutions and tests written",
        "Anthropic 2026-09; OpenAI 2026-02",
    ),
    _technique(
        "trajectory",
        "requests that roll out tool or agent steps",
        "agentic reasoning and tool use were the main targets",
        "Anthropic 2026-02",
    ),
    _technique(
        "safety_rewrite",
        "requests that ask for policy-safe rewrites of sensitive questions",
        "politically sensitive queries were rewritten into forms safe from censorship",
        "Anthropic 2026-02",
    ),
    _technique(
        "trace_cleaning",
        "requests that feed captured reasoning back to be tidied",
        "770,609 exchanges of one campaign cleaned captured traces",
        "Anthropic 2026-09 (GTG-16006)",
    ),
    _technique(
        "any_technique",
        "requests that show any extraction technique",
        "a harvest uses several of them side by side",
        "Anthropic 2026-09",
    ),
    Feature(
        "training_share",
        "share",
        "0 to 1",
        "mean probability that a prompt asks for training material at all",
        NO_PROMPTS,
        why="counts the classifier's doubt, which a share of most likely techniques does not; scored as "
        "`any_technique_share`",
        source="Ours",
        needs=("prompts",),
    ),
    Feature(
        "refused_item_share",
        "share",
        "0 to 1",
        "different prompts that were refused or filtered, of all different prompts",
        NO_PROMPTS + ", or the log tells no stop reasons",
        why="a sweep tries thousands of tricks, each once, and most are refused; scored as `refusal_share`",
        source="Anthropic 2026-09 (a sweep of 12,000 requests)",
        needs=("prompts",),
    ),
    Feature(
        "image_share",
        "share",
        "0 to 1",
        "requests that carry an image",
        "the log tells no images",
        why="vision and computer use were targets; told without reading a prompt",
        source="Anthropic 2026-02",
    ),
    Feature(
        "n_models",
        "models",
        "1 up",
        "different models used",
        "the log names no models",
        why="evaluations and gateways compare several models, a harvest wants the best one",
        source="Ours",
    ),
    Feature(
        "new_model_share",
        "share",
        "0 to 1",
        "requests to models nobody used before the last two nights",
        NO_MODELS,
        why="retargeting to a new model within 24 hours; on release day everybody moves, so it is not scored",
        source="AA26-251A, indicator 9; Anthropic 2026-02",
        needs=("models",),
    ),
    Feature(
        "new_model_lag_h",
        "hours",
        "0 to 48",
        "hours between anybody's first request to such a model and the account's own",
        NO_MODELS + ", or the account sent none of it in the last two nights",
        why="how soon: within 24 hours nearly half of a campaign's traffic had moved; not scored, as above",
        source="AA26-251A, indicator 9; Anthropic 2026-02",
        needs=("models",),
    ),
)
