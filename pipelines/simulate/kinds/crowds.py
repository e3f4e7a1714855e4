"""Virtual people behind accounts: a family on one login, a gateway's customers, a reseller's buyers.

Here: arrivals of people turned into arrivals of the accounts that speak for them. Not here: the people's
habits, nor what the accounts are.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.simulate.population import Floats, Ints
from pipelines.simulate.rhythm import DAY_S, Arrivals
from pipelines.simulate.texts.grammar import Rng

_STICKY_S = 3_600.0
"""A conversation stays on its account until it has been silent for so long: the public relays' default."""


def on_behalf(people: Arrivals, account_of: Ints) -> Arrivals:
    """Everybody's requests under the account that speaks for them; conversations stay whole.

    Parameters
    ----------
    account_of : int64, shape (n_people,), ascending
    """
    return replace(people, account=account_of[people.account])


@dataclass(frozen=True, slots=True)
class Dealt:
    """Requests as a pool of accounts sends them."""

    arrivals: Arrivals
    """In the order of the people's; `turn` goes on counting across accounts, `session` does not."""
    moved: Ints
    """Rows that went elsewhere because their own account answered with an error."""
    failed: Arrivals
    """The attempts that failed, one for each of `moved`, on the account and in the session before."""


def least_recently_used(people: Arrivals, pool_of: Ints, pool: Ints, hop: float, rng: Rng) -> Dealt:
    """A pool of accounts takes its people's conversations in turn, whichever account rested longest first.

    A conversation sticks to its account, but for long silences and errors: then it goes on, in content, on
    another account under a new session id. Loads come out more even than people's are.

    Parameters
    ----------
    pool_of : int64, shape (n_people,); the pool that serves each person
    pool : int64, shape (n_accounts,), ascending; the pool of each account
    hop : chance that a request finds its account out of order
    """
    n = len(people)
    if n == 0:
        return Dealt(people, np.zeros(0, np.int64), people)
    pause = np.diff(people.second, prepend=people.second[0])
    rested = people.starts | (pause > _STICKY_S)
    out_of_order = ~rested & (rng.random(n) < hop)
    part = np.cumsum(rested | out_of_order) - 1
    starts = np.flatnonzero(rested | out_of_order)
    account = _in_turn(pool_of[people.account[starts]], people.second[starts], pool, rng)[part]
    arrivals = Arrivals(account, people.second, part.astype(np.int64), people.turn)
    moved = np.flatnonzero(out_of_order & (account != np.roll(account, 1)))
    tried = np.maximum(people.second[moved] - rng.exponential(1.5, len(moved)) - 0.2, 0.0)
    return Dealt(
        arrivals, moved, Arrivals(account[moved - 1], tried, arrivals.session[moved - 1], people.turn[moved])
    )


def _in_turn(serves: Ints, second: Floats, pool: Ints, rng: Rng) -> Ints:
    """Account of each conversation: within each pool one after the other, in order of time."""
    order = np.lexsort((second, serves))
    sizes = np.bincount(pool)
    first_account = np.cumsum(sizes) - sizes
    first = np.searchsorted(serves[order], np.arange(len(sizes)))
    mine = serves[order]
    place = np.arange(len(order)) - first[mine] + rng.integers(0, 1 << 30, len(sizes))[mine]
    account = np.empty(len(order), np.int64)
    account[order] = _within_pools(pool, rng)[first_account[mine] + place % sizes[mine]]
    return account


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
