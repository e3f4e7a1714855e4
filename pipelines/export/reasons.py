"""Reason codes of enforcement: a closed list, each with the sentence a customer may read.

Here: the list, and which codes a finding earns. Not here: what the detector measured; a sentence names
the kind of use, never a threshold or a signal, for it reaches the very people who would evade it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

VERSION = "1"
"""Changes when a code changes its meaning; new codes may be added without."""

SENTENCES: Mapping[str, str] = {
    "COORDINATED_ACCOUNTS": "The account was used together with others as one operation.",
    "TEMPLATED_HARVEST": "It sent large numbers of requests made from fixed templates.",
    "REASONING_TRACE_HARVEST": "The requests collected worked-out reasoning in bulk.",
    "PREFERENCE_HARVEST": "The requests collected gradings and preferences in bulk.",
    "INSTRUCTION_HARVEST": "The requests generated training instructions in bulk.",
    "TRAJECTORY_HARVEST": "The requests collected tool and agent runs in bulk.",
    "SAFETY_REWRITE_HARVEST": "The requests collected rewritten answers to sensitive questions in bulk.",
    "LOGPROB_HARVEST": "The requests collected token probabilities in bulk.",
    "MULTI_SAMPLE_HARVEST": "The same requests were sampled many times over.",
    "PROBE_SWEEP": "The requests tried out many ways of extracting the model's outputs.",
    "OUTPUT_HARVEST": "The use is consistent with collecting the model's outputs to train another model.",
}
"""In the order in which codes and sentences are given."""

_OF_TECHNIQUE = {
    "reasoning_trace": "REASONING_TRACE_HARVEST",
    "trace_cleaning": "REASONING_TRACE_HARVEST",
    "preference_labels": "PREFERENCE_HARVEST",
    "instruction_generation": "INSTRUCTION_HARVEST",
    "weakness_driven": "INSTRUCTION_HARVEST",
    "trajectory": "TRAJECTORY_HARVEST",
    "safety_rewrite": "SAFETY_REWRITE_HARVEST",
    "soft_labels": "LOGPROB_HARVEST",
    "multi_sample": "MULTI_SAMPLE_HARVEST",
    "probe_sweep": "PROBE_SWEEP",
}

LEAST_SHARE = 0.2
"""A technique is named to a customer when it makes a fifth of the campaign's requests: less may be the
classifier's noise, and a statement has to hold."""


def reason_codes(campaign: Mapping[str, Any] | None) -> list[str]:
    """The codes a campaign earns, in the order of SENTENCES; a lone account earns OUTPUT_HARVEST alone."""
    if campaign is None:
        return ["OUTPUT_HARVEST"]
    earned = {
        _OF_TECHNIQUE[technique["name"]]
        for technique in campaign["techniques"]
        if technique["share"] >= LEAST_SHARE and technique["name"] in _OF_TECHNIQUE
    }
    if campaign["n_accounts"] > 1:
        earned.add("COORDINATED_ACCOUNTS")
    if campaign["families"]:
        earned.add("TEMPLATED_HARVEST")
    return [code for code in SENTENCES if code in earned or code == "OUTPUT_HARVEST"]


def statement_of(codes: Sequence[str], action: str) -> str:
    """What happened, on what ground, by what means, and what to do about it: for the customer."""
    return " ".join(
        (
            _WHAT_HAPPENS[action],
            *(SENTENCES[code] for code in codes),
            "This was noticed by automated analysis of usage and decided by a person.",
            "If this is a mistake, reply to this notice and it will be reviewed again.",
        )
    )


_WHAT_HAPPENS = {
    "watch": "The use of this account is under review.",
    "limit": "The request rate of this account is limited.",
    "verify": "This account has to be verified before it is used further.",
    "suspend": "This account is suspended.",
}
