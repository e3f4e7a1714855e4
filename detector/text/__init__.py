"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.classify import Classes, classifier, classify, training_permille
from detector.text.families import LEAST_ACCOUNTS, Families, family_id, find_families, same_family
from detector.text.families import warm_up as warm_up_families
from detector.text.fingerprint import SCRIPTS, Fingerprints, fingerprint
from detector.text.fingerprint import VERSION as FINGERPRINT_VERSION
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
from detector.text.skeleton import presentable, skeleton
from detector.text.vocabulary import CAPABILITIES, TECHNIQUES


def warm_up() -> None:
    """Compile the loops of families and queues, or read them from the cache."""
    warm_up_families()
    warm_up_queues()


__all__ = [
    "CAPABILITIES",
    "FINGERPRINT_VERSION",
    "LEAST_ACCOUNTS",
    "SCRIPTS",
    "TECHNIQUES",
    "VERDICTS",
    "Classes",
    "Families",
    "Fingerprints",
    "KnownSets",
    "Queues",
    "Traits",
    "classifier",
    "classify",
    "family_id",
    "find_families",
    "fingerprint",
    "judge",
    "known_sets",
    "locate",
    "pooled_likeness",
    "presentable",
    "project_slots",
    "same_family",
    "skeleton",
    "slot_traits",
    "training_permille",
    "warm_up",
]
