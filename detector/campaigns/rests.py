"""What a group adds to its heart: the accounts that are left when a smaller group with evidence as strong is
taken out of it.

Here: which groups have a heart, who is left, and whether these stand by themselves. Not here: what follows
for the group beside all others (standing).

Evidence is of a group as a whole, and a strong heart carries company: of six accounts that one operator holds
and five that came along by a text, the eleven look guilty as well. Who came along is judged without the six.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detector.campaigns.evidence import COMMON, Evidence, summed_up
from detector.campaigns.group import Group
from detector.campaigns.memberships import Memberships
from detector.campaigns.population import Int64
from detector.campaigns.refining import LEAST_MEMBERS

HEART = 0.5
"""Share of a group that its heart has at least: of a smaller one the rest is not company, but most of it."""

INSIDE = 0.9
"""Share of a heart's accounts that are in the group."""

HARDLY = 2.0
"""Log-odds that most groups reach which look like something at all (decision.TAIL_FROM is half of it): of
accounts with less, nothing is said that would not be said of honest users of the same text."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a group without its heart.

    whole, heart : positions of the two groups
    group : the accounts left, with their use of the whole's texts
    """

    whole: int
    heart: int
    group: Group


def rests(groups: Sequence[Group], log_odds: Sequence[float], convicted: Sequence[bool]) -> list[Rest]:
    """What is left of each convicted group when its heart is taken out: a convicted one within it that makes
    up half of it and has evidence as strong, the strongest such. Only where LEAST_MEMBERS or more are left:
    of fewer nothing can be measured.

    groups, log_odds, convicted : candidates of a night, the evidence on each, and who would be flagged
    """
    if not groups:
        return []
    together = Memberships.of([group.members for group in groups], len(groups[0].population))
    sizes, common = together.sizes, together.common.tocoo()
    may, said = np.asarray(convicted, np.bool_), np.asarray(log_odds)
    one, whole = common.row, common.col
    is_heart = may[one] & may[whole] & (sizes[one] < sizes[whole]) & (said[one] >= said[whole])
    is_heart &= (common.data >= INSIDE * sizes[one]) & (sizes[one] >= HEART * sizes[whole])
    is_heart &= sizes[whole] - common.data >= LEAST_MEMBERS
    heart_of: dict[int, int] = {}
    for heart, of in sorted(zip(one[is_heart].tolist(), whole[is_heart].tolist(), strict=True)):
        if of not in heart_of or said[heart] > said[heart_of[of]]:
            heart_of[of] = heart
    return [
        Rest(of, heart, groups[of].of(np.setdiff1d(groups[of].members, groups[heart].members, True)))
        for of, heart in sorted(heart_of.items())
    ]


IDLE = 0.05
"""Of the load of the account behind a typical request of a group, the part up to which an account is idle:
an operator's newest one does more than a twentieth of what his others do."""


def idle(group: Group) -> Int64:
    """Members that do next to none of a group's work: who sent one request beside somebody's seven hundred is
    not dealt a share of them, unless another operator deals it. int64, ascending."""
    work = group.work
    ascending = np.sort(work)
    half = min(int(np.searchsorted(np.cumsum(ascending), work.sum() / 2)), len(work) - 1)
    return np.asarray(group.members[work < IDLE * ascending[half]])


def is_company(of_rest: Sequence[Evidence], of_whole: Sequence[Evidence]) -> bool:
    """Whether hardly anything is said of a rest. Whose the texts are is said of the whole: the heart's use of
    them does not make them strangers'."""
    own = [piece for piece in of_rest if piece.code != WHOSE_TEXTS and piece.family != COMMON]
    whose = [piece for piece in of_whole if piece.code == WHOSE_TEXTS]
    return sum(piece.log_odds for piece in summed_up([*own, *whose])) < HARDLY


WHOSE_TEXTS = "EXCLUSIVE_TEXT"
