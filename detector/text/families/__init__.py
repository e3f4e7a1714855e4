"""Template families: texts of several accounts that share fixed text around changing slots.

Here: from the night's shingles to families (finding), by a sample of its texts (sample) and what of these
stands together (pieces), and who belongs to which (index). Not here: loops (kernels.families), readable forms
(skeleton), families that were reworded (ties), what sharing a family means (campaigns).

A template is found from its own pieces, not by comparing prompts: shingles that several accounts share are
pieces, two of them are joined when they nearly always stand in the same texts, and what is joined in the
end is one template. A slot may be longer than the template and stand anywhere, since only shared shingles
count; an everyday phrase stays alone, since nothing nearly always stands beside it. Why so, and what it
reaches: docs/decisions/0010.
"""

from detector.text.families.finding import find_families, learn_families, warm_up
from detector.text.families.index import (
    LEAST_PIECES,
    MOST_FAMILIES,
    NO_FAMILIES,
    TELLING_SHINGLES,
    Families,
    FamilyIndex,
    family_id,
    same_family,
)
from detector.text.families.pieces import NEAR
from detector.text.families.sample import LEAST_ACCOUNTS, LEAST_SHARE, Sample, sampled, texts_per_account

__all__ = [
    "LEAST_ACCOUNTS",
    "LEAST_PIECES",
    "LEAST_SHARE",
    "MOST_FAMILIES",
    "NEAR",
    "NO_FAMILIES",
    "TELLING_SHINGLES",
    "Families",
    "FamilyIndex",
    "Sample",
    "family_id",
    "find_families",
    "learn_families",
    "same_family",
    "sampled",
    "texts_per_account",
    "warm_up",
]
