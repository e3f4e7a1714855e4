"""Texts as numbers: fingerprints, template families, capability and technique."""

from detector.text.families import Families, family_id, find_families, same_family
from detector.text.fingerprint import SCRIPTS, Fingerprints, fingerprint
from detector.text.vocabulary import CAPABILITIES, TECHNIQUES

__all__ = [
    "CAPABILITIES",
    "SCRIPTS",
    "TECHNIQUES",
    "Families",
    "Fingerprints",
    "family_id",
    "find_families",
    "fingerprint",
    "same_family",
]
