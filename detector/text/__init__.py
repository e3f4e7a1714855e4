"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.classify import Classes, classifier, classify, training_permille
from detector.text.contract import Contract, contract, marks
from detector.text.families import (
    LEAST_ACCOUNTS,
    TELLING_SHINGLES,
    Families,
    FamilyIndex,
    family_id,
    find_families,
    learn_families,
    same_family,
    sampled,
    texts_per_account,
)
from detector.text.families import warm_up as warm_up_families
from detector.text.fingerprint import SCRIPTS, Fingerprints, Secret, fingerprint, secret_of
from detector.text.fingerprint import VERSION as FINGERPRINT_VERSION
from detector.text.marking import as_plain_text, marked
from detector.text.queues import (
    VERDICTS,
    KnownSets,
    Queues,
    Traits,
    judge,
    known_sets,
    locate,
    pooled_likeness,
    project_slots,
    slot_traits,
)
from detector.text.queues import warm_up as warm_up_queues
from detector.text.redaction import presentable
from detector.text.skeleton import SLOTS, skeleton, skeleton_parts
from detector.text.template import Template
from detector.text.ties import (
    GROUP_STRENGTH,
    KINDS,
    Groups,
    Ties,
    contract_ties,
    fragment_ties,
    source_ties,
    tie_groups,
    wording_ties,
)
from detector.text.vocabulary import CAPABILITIES, TECHNIQUES


def warm_up() -> None:
    """Compile the loops of families and queues, or read them from the cache."""
    warm_up_families()
    warm_up_queues()


__all__ = [
    "CAPABILITIES",
    "FINGERPRINT_VERSION",
    "GROUP_STRENGTH",
    "KINDS",
    "LEAST_ACCOUNTS",
    "SCRIPTS",
    "SLOTS",
    "TECHNIQUES",
    "TELLING_SHINGLES",
    "VERDICTS",
    "Classes",
    "Contract",
    "Families",
    "FamilyIndex",
    "Fingerprints",
    "Groups",
    "KnownSets",
    "Queues",
    "Secret",
    "Template",
    "Ties",
    "Traits",
    "as_plain_text",
    "classifier",
    "classify",
    "contract",
    "contract_ties",
    "family_id",
    "find_families",
    "fingerprint",
    "fragment_ties",
    "judge",
    "known_sets",
    "learn_families",
    "locate",
    "marked",
    "marks",
    "pooled_likeness",
    "presentable",
    "project_slots",
    "same_family",
    "sampled",
    "secret_of",
    "skeleton",
    "skeleton_parts",
    "slot_traits",
    "source_ties",
    "texts_per_account",
    "tie_groups",
    "training_permille",
    "warm_up",
    "wording_ties",
]
