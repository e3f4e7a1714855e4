"""The two questions asked of every prompt, and the closed lists of answers.

Codes are positions in these tuples and are stored per request: append, never reorder.
"""

CAPABILITIES = (
    "general_chat",
    "coding",
    "math_reasoning",
    "general_reasoning",
    "agentic",
    "tool_use",
    "computer_use",
    "data_analysis",
    "vision",
    "rubric_grading",
    "safety_sensitive",
    "creative_writing",
    "translation",
    "summarization",
    "classification",
)
"""What is being harvested. Position 0 is the answer of a prompt without features."""

TECHNIQUES = (
    "none",
    "reasoning_trace",
    "preference_labels",
    "instruction_generation",
    "trajectory",
    "safety_rewrite",
    "soft_labels",
    "multi_sample",
    "weakness_driven",
    "trace_cleaning",
    "probe_sweep",
)
"""How it is harvested. Position 0 is ordinary use."""

TEXT_TECHNIQUES = (
    "none",
    "reasoning_trace",
    "preference_labels",
    "instruction_generation",
    "trajectory",
    "safety_rewrite",
    "trace_cleaning",
)
"""The techniques one prompt's text can show. The others live in parameters and sequences of requests."""
