"""Features of what an account gets for its tokens: long, cut or refused answers, forms demanded, errors."""

from detector.features.feature import NO_PROMPTS, Feature

FEATURES = (
    Feature(
        "output_tokens_mean",
        "tokens per request",
        "0 up",
        "mean length of an answer",
        "the log tells no output tokens",
        "high",
        "count",
        why="written-out reasoning is long, a label is not",
        source="AA26-251A, indicator 7",
    ),
    Feature(
        "output_ratio",
        "output / input tokens",
        "0 up",
        "tokens taken per token sent",
        "no request tells both numbers",
        "high",
        "count",
        why="a harvest takes more than it gives; classification and extraction are the other way round",
        source="Anthropic 2026-02 (content that is valuable for training)",
    ),
    Feature(
        "reasoning_token_share",
        "share",
        "0 to 1",
        "answer tokens that are the model's own reasoning",
        "no request tells both numbers",
        why="what of the bill is reasoning, whether or not the reasoning is shown",
        source="GTIG 2026-02",
    ),
    Feature(
        "cached_token_share",
        "share",
        "0 to 1",
        "tokens sent that the provider had in its cache",
        "no request tells both numbers",
        why="a long fixed text in front of changing items shows here without reading a prompt; agents show "
        "it as well",
        source="Ours",
    ),
    Feature(
        "length_stop_share",
        "share",
        "0 to 1",
        "answers cut by the length limit",
        "the log tells no stop reasons",
        why="a limit set for labels, or an answer that runs away",
        source="Ours",
    ),
    Feature(
        "structured_share",
        "share",
        "0 to 1",
        "requests whose parameters demand JSON, a schema or a tool's arguments",
        "no request of the account sets any parameter, or the log does not tell",
        why="answers made for a program; told without reading a prompt; most are ordinary products, so it is "
        "not scored",
        source="Ours",
    ),
    Feature(
        "contract_share",
        "share",
        "0 to 1",
        "requests made from templates that demand a form of answer: tags, keys, headings, labels",
        NO_PROMPTS + ", or it uses no template that others share and that was read",
        why="reasoning was forced into tags before the answer; a survivor of rewording; many products demand "
        "a form, "
        "so it is not scored",
        source="Anthropic 2026-09 (GTG-16005)",
        needs=("templates",),
    ),
    Feature(
        "refusal_share",
        "share",
        "0 to 1",
        "answers refused or filtered",
        "the log tells no stop reasons",
        "high",
        why="extraction tricks are mostly rejected before one of them is scaled up",
        source="Anthropic 2026-09 (a sweep of 12,000 requests)",
    ),
    Feature(
        "error_share",
        "share",
        "0 to 1",
        "requests that failed",
        "the log tells no status",
        why="pressing against limits; failover starts from errors",
        source="AA26-251A, indicator 8",
    ),
)
