"""From accounts that share things to campaigns with evidence."""

from detector.campaigns.communities import EVERYBODYS, Candidate, candidates
from detector.campaigns.decision import LADDER, Action, Policy, Verdict, decide, supporting_families
from detector.campaigns.evidence import Evidence, weigh
from detector.campaigns.group import Group, Slots, group_of
from detector.campaigns.identity import Known, Sighting, identify
from detector.campaigns.population import Layer, Population, Uses, shared_objects
from detector.campaigns.schedule import standing
from detector.campaigns.wording import profile, summary

__all__ = [
    "EVERYBODYS",
    "LADDER",
    "Action",
    "Candidate",
    "Evidence",
    "Group",
    "Known",
    "Layer",
    "Policy",
    "Population",
    "Sighting",
    "Slots",
    "Uses",
    "Verdict",
    "candidates",
    "decide",
    "group_of",
    "identify",
    "profile",
    "shared_objects",
    "standing",
    "summary",
    "supporting_families",
    "weigh",
]
