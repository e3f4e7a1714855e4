"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.classify import Classes, classifier, classify, training_permille
from detector.text.families import (
    LEAST_ACCOUNTS,
    Families,
    Templates,
    family_id,
    find_families,
    find_templates,
    same_family,
    sampled,
    texts_per_account,
    warm_up,
)
from detector.text.fingerprint import SCRIPTS, Fingerprints, Secret, fingerprint, secret_of
from detector.text.fingerprint import VERSION as FINGERPRINT_VERSION
from detector.text.skeleton import presentable, skeleton
from detector.text.vocabulary import CAPABILITIES, TECHNIQUES

__all__ = [
    "CAPABILITIES",
    "FINGERPRINT_VERSION",
    "LEAST_ACCOUNTS",
    "SCRIPTS",
    "TECHNIQUES",
    "Classes",
    "Families",
    "Fingerprints",
    "Secret",
    "Templates",
    "classifier",
    "classify",
    "family_id",
    "find_families",
    "find_templates",
    "fingerprint",
    "presentable",
    "same_family",
    "sampled",
    "secret_of",
    "skeleton",
    "texts_per_account",
    "training_permille",
    "warm_up",
]
