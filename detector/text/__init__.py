"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.classify import Classes, classifier, classify, training_permille
from detector.text.contract import Contract, contract, marks
from detector.text.families import (
    LEAST_ACCOUNTS,
    Families,
    FamilyIndex,
    family_id,
    find_families,
    learn_families,
    same_family,
    sampled,
    texts_per_account,
    warm_up,
)
from detector.text.fingerprint import SCRIPTS, Fingerprints, Secret, fingerprint, secret_of
from detector.text.fingerprint import VERSION as FINGERPRINT_VERSION
from detector.text.marking import as_plain_text, marked
from detector.text.redaction import presentable
from detector.text.skeleton import SLOTS, skeleton, skeleton_parts
from detector.text.template import Template
from detector.text.vocabulary import CAPABILITIES, TECHNIQUES

__all__ = [
    "CAPABILITIES",
    "FINGERPRINT_VERSION",
    "LEAST_ACCOUNTS",
    "SCRIPTS",
    "SLOTS",
    "TECHNIQUES",
    "Classes",
    "Contract",
    "Families",
    "FamilyIndex",
    "Fingerprints",
    "Secret",
    "Template",
    "as_plain_text",
    "classifier",
    "classify",
    "contract",
    "family_id",
    "find_families",
    "fingerprint",
    "learn_families",
    "marked",
    "marks",
    "presentable",
    "same_family",
    "sampled",
    "secret_of",
    "skeleton",
    "skeleton_parts",
    "texts_per_account",
    "training_permille",
    "warm_up",
]
