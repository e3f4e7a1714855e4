"""Virtual people behind accounts: a family on one login, a gateway's customers, a reseller's buyers.

Here: arrivals of people turned into arrivals of the accounts that speak for them. Not here: the people's
habits, nor what the accounts are.
"""

from dataclasses import replace

import numpy as np

from pipelines.simulate.grammar import Rng
from pipelines.simulate.population import Floats, Ints
from pipelines.simulate.rhythm import DAY_S, Arrivals

_STICKY_S = 3_600.0
"""A conversation stays on its account until it has been silent for so long: the public relays' default."""


def on_behalf(people: Arrivals, account_of: Ints) -> Arrivals:
    """Everybody's requests under the account that speaks for them; conversations stay whole.

    Parameters
    ----------
    account_of : int64, shape (n_people,), ascending
    """
    return replace(people, account=account_of[people.account])


def least_recently_used(people: Arrivals, pool_of: Ints, pool: Ints, hop: float, rng: Rng) -> Arrivals:
    """A pool of accounts takes its people's conversations in turn, whichever account rested longest first.

    A conversation sticks to its account, but for long silences and errors: then it goes on, in content, on
    another account under a new session id. Loads come out more even than people's are.

    Parameters
    ----------
    pool_of : int64, shape (n_people,); the pool that serves each person
    pool : int64, shape (n_accounts,), ascending; the pool of each account
    hop : chance that a request finds its account out of order

    Returns
    -------
    Arrivals in the order of `people`; `turn` goes on counting across accounts.
    """
    n = len(people)
    if n == 0:
        return people
    pause = np.diff(people.second, prepend=people.second[0])
    begins = people.starts | (pause > _STICKY_S) | (rng.random(n) < hop)
    part = np.cumsum(begins) - 1
    starts = np.flatnonzero(begins)
    serves = pool_of[people.account[starts]]
    order = np.lexsort((people.second[starts], serves))
    first_part = np.searchsorted(serves[order], np.arange(int(pool.max()) + 1))
    turn_of = np.arange(len(order)) - first_part[serves[order]]
    sizes = np.bincount(pool)
    first_account = np.cumsum(sizes) - sizes
    shuffled = _within_pools(pool, rng)
    begin = rng.integers(0, 1 << 30, len(sizes))
    at = first_account[serves[order]] + (turn_of + begin[serves[order]]) % sizes[serves[order]]
    account = np.empty(len(order), np.int64)
    account[order] = shuffled[at]
    return Arrivals(account[part], people.second, part.astype(np.int64), people.turn)


def queued(arrivals: Arrivals, gap_s: float) -> Arrivals:
    """One request at a time per account, at least `gap_s` apart; a queue is cut off by midnight."""
    order = np.lexsort((arrivals.second, arrivals.account))
    owner = arrivals.account[order]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    wait = (np.arange(len(owner)) - np.repeat(first, np.diff(first, append=len(owner)))) * gap_s
    # A running maximum per account: accounts lie so far apart on one line that none reaches into the next.
    apart = owner * 2.0 * DAY_S
    pushed = np.maximum.accumulate(apart + np.maximum(arrivals.second[order] - wait, -DAY_S))
    second = np.empty(len(owner))
    second[order] = np.minimum(pushed - apart + wait, DAY_S - 1e-3)
    return replace(arrivals, second=second)


def _within_pools(pool: Ints, rng: Rng) -> Ints:
    """Accounts in a fresh order, each within its pool."""
    return np.lexsort((rng.random(len(pool)), pool)).astype(np.int64)


def spread(n_people: int, n_accounts: int) -> Ints:
    """People dealt evenly over accounts, in order: the account of each."""
    return (np.arange(n_people) * n_accounts // max(1, n_people)).astype(np.int64)


def zest_of(people: int, rng: Rng) -> Floats:
    """How much each of some people uses what they pay for; heavy-tailed, mean near one."""
    return np.asarray(rng.lognormal(-0.32, 0.8, people))
