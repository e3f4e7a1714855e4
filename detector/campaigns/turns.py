"""Do accounts take turns, or does each send its requests in sittings?

Here: how near to one another the requests of one account lie in the stream of a group. Not here: what it is
evidence of (evidence).

A person sits down, asks several times and leaves; who deals out work gives the next request to the next
account. Neither depends on how many requests an account sends, nor on the hours of the day at which the whole
group is busy, since places in the group's own stream are compared, not times.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.campaigns.population import Int64

NEAR = 0.1
"""Places within which two requests are near, for each account of the group: in a tenth of a round of a
scheduler nobody's turn comes again."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How a group's requests follow one another.

    n_near : pairs of requests of one account that lie near each other in the group's stream
    n_by_chance : such pairs if accounts sent as many requests each, in an order that knows of no account
    """

    n_near: int
    n_by_chance: float


def turns_of(group: Int64, account: npt.NDArray[np.integer], sent_at_us: Int64, n_groups: int) -> list[Turns]:
    """Near pairs of each group, in the order of the groups.

    Parameters
    ----------
    group : int64, shape (n,), 0 to n_groups - 1; one row for each request
    account : integers, shape (n,), any; equal for one account
    sent_at_us : int64, shape (n,), microseconds; rows of one group and moment count in the order given

    Source: the join count of one class along a line (Cliff, Ord, Spatial Processes, 1981, section 1.3), the
    neighbours of a request being the ones up to some places away; its expectation under random labels.
    """
    order = np.lexsort((sent_at_us, group))
    group, account = group[order].astype(np.int64), account[order]
    starts = np.searchsorted(group, np.arange(n_groups + 1))
    n = np.diff(starts)
    sender = np.unique(np.stack([group, account.astype(np.int64)], axis=1), axis=0, return_inverse=True)[1]
    sender = sender.ravel()
    n_of_sender = np.bincount(sender)
    group_of_sender = np.zeros(len(n_of_sender), np.int64)
    group_of_sender[sender] = group
    n_senders = np.bincount(group_of_sender, minlength=n_groups)
    places = np.maximum(np.round(NEAR * n_senders), 1).astype(np.int64)
    # One ascending key, in which places of different senders are further apart than any are near.
    stride = len(group) + int(places.max(initial=1)) + 1
    place = np.arange(len(group)) - starts[group]
    key = np.sort(sender * stride + place)
    reach = places[group_of_sender[key // stride]]
    n_behind = np.searchsorted(key, key + reach, side="right") - np.arange(len(key)) - 1
    near = np.bincount(group_of_sender[key // stride], n_behind, minlength=n_groups)
    same = np.bincount(group_of_sender, n_of_sender * (n_of_sender - 1.0), minlength=n_groups)
    return [
        Turns(int(near[at]), _by_chance(int(n[at]), int(places[at]), float(same[at])))
        for at in range(n_groups)
    ]


def _by_chance(n: int, places: int, same: float) -> float:
    """Pairs up to `places` apart, times the chance that both are of one account."""
    if n < 2:
        return 0.0
    places = min(places, n - 1)
    return (n * places - places * (places + 1) / 2) * same / (n * (n - 1))


def clumping(turns: Turns) -> float:
    """How many times as often as by chance an account's requests are near each other; 0 where accounts take
    turns, 1 where any order is as likely, more in sittings. Few pairs say little: `PRIOR_PAIRS` are added at
    the value that tells nothing, `NEITHER`."""
    return (turns.n_near + PRIOR_PAIRS * NEITHER) / (turns.n_by_chance + PRIOR_PAIRS)


NEITHER = 2.0
"""Accounts that are awake a half of the day, or busy in a shift of their own, come twice as often as chance
has it, whoever they are."""

PRIOR_PAIRS = 5.0
