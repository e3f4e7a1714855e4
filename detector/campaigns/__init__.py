"""From accounts that share things to campaigns with evidence."""

from detector.campaigns import fail_over
from detector.campaigns.communities import EVERYBODYS, candidates
from detector.campaigns.decision import (
    LADDER,
    TAINTED,
    Action,
    Part,
    Policy,
    Verdict,
    decide,
    decide_again,
    supporting_families,
    tail_p_values,
    weighed,
)
from detector.campaigns.evidence import Evidence, weigh
from detector.campaigns.group import LEAST_KNOWN, Group, Slots, group_of
from detector.campaigns.habits import HABITS, in_steps
from detector.campaigns.hand_over import hand_overs
from detector.campaigns.history import Event, events
from detector.campaigns.identity import Known, Sighting, identify
from detector.campaigns.joining import unions
from detector.campaigns.lasting import Nights
from detector.campaigns.left_out import without
from detector.campaigns.likeness import Likeness
from detector.campaigns.links import FEW_USES, Link, links_of, loosely_tied, weigh_without
from detector.campaigns.memberships import Memberships
from detector.campaigns.population import (
    FailOvers,
    HandOvers,
    Layer,
    Population,
    SharedObjects,
    Uses,
    shared_objects,
)
from detector.campaigns.refining import (
    LEAST_MEMBERS,
    Candidate,
    approved_carriers,
    warm_up,
    without_strangers,
)
from detector.campaigns.rests import idle, is_company, rests
from detector.campaigns.standing import standing
from detector.campaigns.turns import Turns, turns_of
from detector.campaigns.wording import (
    PLAIN_CAPABILITY,
    PLAIN_TECHNIQUE,
    event_in_words,
    profile,
    summary,
    without_link,
)

__all__ = [
    "EVERYBODYS",
    "FEW_USES",
    "HABITS",
    "LADDER",
    "LEAST_KNOWN",
    "LEAST_MEMBERS",
    "PLAIN_CAPABILITY",
    "PLAIN_TECHNIQUE",
    "TAINTED",
    "Action",
    "Candidate",
    "Event",
    "Evidence",
    "FailOvers",
    "Group",
    "HandOvers",
    "Known",
    "Layer",
    "Likeness",
    "Link",
    "Memberships",
    "Nights",
    "Part",
    "Policy",
    "Population",
    "SharedObjects",
    "Sighting",
    "Slots",
    "Turns",
    "Uses",
    "Verdict",
    "approved_carriers",
    "candidates",
    "decide",
    "decide_again",
    "event_in_words",
    "events",
    "fail_over",
    "group_of",
    "hand_overs",
    "identify",
    "idle",
    "in_steps",
    "is_company",
    "links_of",
    "loosely_tied",
    "profile",
    "rests",
    "shared_objects",
    "standing",
    "summary",
    "supporting_families",
    "tail_p_values",
    "turns_of",
    "unions",
    "warm_up",
    "weigh",
    "weigh_without",
    "weighed",
    "without",
    "without_link",
    "without_strangers",
]
