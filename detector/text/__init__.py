"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.classify import Classes, classifier, classify, training_permille
from detector.text.families import LEAST_ACCOUNTS, Families, family_id, find_families, same_family, warm_up
from detector.text.fingerprint import SCRIPTS, Fingerprints, fingerprint
from detector.text.fingerprint import VERSION as FINGERPRINT_VERSION
from detector.text.skeleton import presentable, skeleton
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

__all__ = [
    "CAPABILITIES",
    "FINGERPRINT_VERSION",
    "GROUP_STRENGTH",
    "KINDS",
    "LEAST_ACCOUNTS",
    "SCRIPTS",
    "TECHNIQUES",
    "Classes",
    "Families",
    "Fingerprints",
    "Groups",
    "Ties",
    "classifier",
    "classify",
    "contract_ties",
    "family_id",
    "find_families",
    "fingerprint",
    "fragment_ties",
    "presentable",
    "same_family",
    "skeleton",
    "source_ties",
    "tie_groups",
    "training_permille",
    "warm_up",
    "wording_ties",
]
