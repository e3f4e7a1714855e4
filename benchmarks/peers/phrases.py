"""Phrases by which published rules know that somebody asks for reasoning, grading or training data.

Here: the list that AegisGate's ratio and Glasswally's CoT worker both need. Not here: what a hit counts.

Glasswally (m0rs3c0d3/Glasswally, workers/cot.rs, MIT) publishes 32 patterns; this is one expression with
the same reach. AegisGate's own list was not at hand.
"""

import polars as pl

_REASONING = (
    r"chain[ -]of[ -]thought",
    r"step[ -]by[ -]step",
    r"(articulate|walk through|trace) (your|the|the internal) reasoning",
    r"(show|write out) (every|each) step",
    r"explain your reasoning (process|chain)",
    r"internal reasoning behind",
    r"complete and transparent reasoning",
    r"statistical rigor with deep domain",
)
_GRADING = (
    r"reward model",
    r"rubric-based (grading|scoring)",
    r"act as (a judge|a grader|an evaluator)",
    r"labeled tuple",
    r"reinforcement learning",
)
_REWRITING = (r"censorship[ -]safe", r"preserve the informational intent", r"politically sensitive")
_FORMAT = (r"respond only (in|with) json",)

PATTERN = "(?i)" + "|".join((*_REASONING, *_GRADING, *_REWRITING, *_FORMAT))

DOMAINS = {
    "reasoning": "(?i)chain of thought|step by step",
    "agentic": "(?i)tool_call|tool use|multi-step plan|agent loop",
    "coding": "(?i)implement|production-grade|unit test",
    "vision": "(?i)computer-use|screenshot|vision agent",
    "reward": "(?i)reward model|rubric|reinforcement",
    "rewriting": "(?i)censorship-safe|politically",
    "data": "(?i)data analyst|statistical rigor",
}
"""Glasswally's capability domains."""


def asks_for_reasoning() -> pl.Expr:
    """Whether the prompt holds one of the phrases; null where there is no prompt."""
    return pl.col("prompt").str.contains(PATTERN)
