"""What the accounts file says of a crowd: organisations, payments, sign-ups, gaps.

Here: changes to the rows that `enrol` drew, as whole columns. Not here: what the accounts do.
"""

from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.group import SignUps, World
from pipelines.simulate.population import DAY_US, Crowd, Floats, Ints
from pipelines.simulate.rhythm import DAY_S, Arrivals
from pipelines.simulate.texts.grammar import Rng


def teams(n: int, low: int, high: int, rng: Rng) -> Ints:
    """Number of each account's team: teams have between `low` and `high` members, the last may have fewer."""
    ends = np.cumsum(rng.integers(low, high + 1, max(1, -(-n // low))))
    return np.searchsorted(ends, np.arange(n), side="right").astype(np.int64)


def leaders(team: Ints) -> Ints:
    """Row of the first member of each account's team."""
    _, first, which = np.unique(team, return_index=True, return_inverse=True)
    return first[which].astype(np.int64)


def write(crowd: Crowd, name: str, column: pa.Array) -> None:
    """Replace one column of the accounts file."""
    at = crowd.accounts.schema.get_field_index(name)
    crowd.accounts = crowd.accounts.set_column(at, name, column.cast(crowd.accounts.schema.field(at).type))


def share(crowd: Crowd, team: Ints, *names: str) -> None:
    """Members of a team have the first member's entry in some columns of the accounts file."""
    index = pa.array(leaders(team))
    for name in names:
        write(crowd, name, crowd.accounts[name].combine_chunks().take(index))


def live_together(crowd: Crowd, team: Ints) -> None:
    """A team is in one country and speaks its language; the clock follows."""
    first = leaders(team)
    crowd.country, crowd.language = crowd.country[first], crowd.language[first]
    crowd.utc_offset_h = crowd.utc_offset_h[first]
    write(crowd, "country", crowd.accounts["country"].combine_chunks().take(pa.array(first)))


def company(crowd: Crowd, team: Ints) -> None:
    """A team is one company: one organisation, payment, mail domain and country."""
    live_together(crowd, team)
    share(crowd, team, "org_id", "payment_fingerprint", "email_domain")


def forget(crowd: Crowd, name: str, share_of: float, rng: Rng) -> None:
    """Some accounts left a field empty."""
    n = len(crowd)
    column = crowd.accounts[name].combine_chunks()
    write(crowd, name, column.take(pa.array(np.arange(n), mask=rng.random(n) < share_of)))


def newcomers(world: World, crowd: Crowd, share_of: float, days: tuple[float, float], rng: Rng) -> None:
    """Some accounts are young whatever their kind: a new seat, a new key of an old customer."""
    n = len(crowd)
    fresh = rng.random(n) < share_of
    age_us = (rng.uniform(*days, n) * DAY_US).astype(np.int64)
    usual = np.asarray(crowd.accounts["created_at"].combine_chunks().cast(pa.int64()))
    write(crowd, "created_at", _times(np.where(fresh, first_midnight_us(world) - age_us, usual)))


def sign_up(world: World, crowd: Crowd, day: Floats) -> SignUps:
    """Accounts that sign up while the world runs (negative: before it).

    Parameters
    ----------
    day : float64, shape (n_accounts,); days after the first midnight
    """
    after_us = (day * DAY_US).astype(np.int64)
    write(crowd, "created_at", _times(first_midnight_us(world) + after_us))

    def signups(banned_on: Ints) -> Ints:
        return after_us

    return signups


def since(arrivals: Arrivals, signed_up_s: Floats, number: int) -> Arrivals:
    """Requests after the account's sign-up.

    Parameters
    ----------
    signed_up_s : float64, shape (n_accounts,); seconds after the first midnight
    """
    return only(arrivals, arrivals.second + number * DAY_S > signed_up_s[arrivals.account])


def only(arrivals: Arrivals, keep: npt.NDArray[np.bool_]) -> Arrivals:
    """Some of the requests, in the same order."""
    return Arrivals(
        arrivals.account[keep], arrivals.second[keep], arrivals.session[keep], arrivals.turn[keep]
    )


def age_days(world: World, crowd: Crowd) -> Floats:
    """Age of each account on the first midnight, in days."""
    created = np.asarray(crowd.accounts["created_at"].combine_chunks().cast(pa.int64()))
    return (first_midnight_us(world) - created) / DAY_US


def expire(crowd: Crowd, until: pa.Array) -> None:
    """The last day on which each contract on file holds."""
    write(crowd, "approved_until", until)


def days_later(day: date, days: Ints) -> pa.Array:
    """Dates so many days after a day."""
    return pa.array(np.datetime64(day) + days.astype("timedelta64[D]"), pa.date32())


def first_midnight_us(world: World) -> int:
    """The world's first moment, in microseconds since 1970."""
    day = world.first_day
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _times(us: Ints) -> pa.Array:
    return pa.array(us, pa.timestamp("us", tz="UTC"))
