"""Ties between template families: signs that two wordings are one operator's instruction.

Here: one module a kind of tie (contract, source, wording, fragments), their table and strengths (table),
groups of tied families (groups), what families hold (holdings), words as numbers (letters). Not here: what a
family is (families), its readable form (skeleton), reading tables (pipelines.ties), loops (kernels.ties).

A rewritten instruction shares no shingles with the original, so the two are two families. What a rewriter
leaves alone still joins them: the form demanded of the answer, the list that items are drawn from, the words
that carry the meaning. Each kind of tie is a log-likelihood ratio against chance among the night's families;
what many families share ties nobody. Kinds are measured on different things, so their strengths add up.

Cost: no kind compares all pairs of what a sender can multiply. Marks and shingles go through inverted indexes
in which an entry of more than a few families is dropped; cosines are taken among at most MOST_FAMILIES.
"""

from detector.text.ties.contract import contract_ties
from detector.text.ties.fragments import fragment_ties
from detector.text.ties.groups import GROUP_STRENGTH, Groups, tie_groups
from detector.text.ties.source import source_ties
from detector.text.ties.table import KINDS, LEAST_STRENGTH, MOST_STRENGTH, Ties
from detector.text.ties.wording import wording_ties

__all__ = [
    "GROUP_STRENGTH",
    "KINDS",
    "LEAST_STRENGTH",
    "MOST_STRENGTH",
    "Groups",
    "Ties",
    "contract_ties",
    "fragment_ties",
    "source_ties",
    "tie_groups",
    "wording_ties",
]
