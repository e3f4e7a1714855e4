"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.classify import Classes, classifier, classify, training_permille
from detector.text.families import LEAST_ACCOUNTS, Families, family_id, find_families, same_family, warm_up
from detector.text.fingerprint import SCRIPTS, Fingerprints, fingerprint
from detector.text.fingerprint import VERSION as FINGERPRINT_VERSION
from detector.text.redaction import presentable
from detector.text.skeleton import skeleton
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
    "classifier",
    "classify",
    "family_id",
    "find_families",
    "fingerprint",
    "presentable",
    "same_family",
    "skeleton",
    "training_permille",
    "warm_up",
]
