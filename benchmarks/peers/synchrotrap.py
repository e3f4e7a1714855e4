"""SynchroTrap: accounts that act on the same objects at the same times, day after day.

Source: Cao, Yang, Yu, Palow, "Uncovering Large Groups of Active Malicious Accounts in Online Social
Networks", CCS 2014. There is no release; this is a re-implementation from the paper.

Flags: groups. An action is (account, object, time bucket); two actions match when all but the account
agree. Similarity of two accounts is the Jaccard of their actions, pooled over the nights so far (a week at
most, as published); accounts above the threshold are linked, and a component of links is a campaign. Each
kind of object is a run of its own, as the paper's "applications" are: prompt prefix, address, payment.

As published: the action, the matching by object and window, Jaccard, pooling over a week of days, single
linkage, one run per kind of object.
Chosen: buckets of an hour instead of a sliding window (the paper cuts time into buckets as well, twice,
half a step apart; an hour is its shorter window); similarity 0.5 (a link means that most of what both did
was done together); at least 3 matched actions, or two accounts that sent one request each are twins; groups
of at least 5. Pairs are drawn by MinHash bands (candidates), where the paper compares all pairs that share
an object on a cluster of machines.

Needs of a log: prompts, addresses, and an accounts file for payments; what is absent is a run that finds
nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from benchmarks.peers.candidates import Ints, similar_pairs
from benchmarks.peers.groups import components, large_groups, named_over_nights
from benchmarks.peers.peer import Found, as_flags
from benchmarks.peers.texts import prefix_hash
from benchmarks.peers.world import World

KINDS = ("prompt", "address", "payment")


@dataclass(frozen=True, slots=True)
class SynchroTrap:
    """See the module."""

    similarity: float = 0.5
    bucket_hours: int = 1
    least_common: int = 3
    window_nights: int = 7
    name: str = "SynchroTrap"

    def find(self, world: World) -> Found:
        """Judge every night by the actions of the week that ends with it."""
        links = {kind: list(self._links(world, kind)) for kind in KINDS}
        levels = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)
        return Found(
            flags=_groups(links, self.similarity),
            point=f"similarity {self.similarity:g}",
            others=tuple((f"similarity {level:g}", _groups(links, level)) for level in levels),
        )

    def _links(self, world: World, kind: str) -> Iterator["_Links"]:
        """Similar pairs of every night."""
        payments = world.payments()
        nights: list[pl.DataFrame] = []
        for day in world.days:
            nights = [
                *nights[-self.window_nights + 1 :],
                self._actions(world.night(day, "prompt", "ip"), kind, payments),
            ]
            actions = pl.concat(nights).unique().sort("account_id", "action")
            active = nights[-1]["account_id"].unique()
            accounts, starts = _segments(actions["account_id"])
            first, second, similarity = similar_pairs(
                actions["action"].to_numpy(), starts, least_common=self.least_common
            )
            yield _Links(day, accounts, active, first, second, similarity)

    def _actions(self, night: pl.DataFrame, kind: str, payments: pl.DataFrame) -> pl.DataFrame:
        """`account_id, action`, distinct: a hash of object and bucket."""
        night = night.with_columns(pl.col("ts").dt.truncate(f"{self.bucket_hours}h").alias("bucket"))
        if kind == "payment":
            night = night.join(payments, on="account_id", how="inner")
        thing = {"prompt": prefix_hash(), "address": pl.col("ip"), "payment": pl.col("payment_fingerprint")}[
            kind
        ]
        return (
            night.select("account_id", "bucket", thing.alias("object"))
            .drop_nulls()
            .select("account_id", pl.struct("object", "bucket").hash(seed=0).alias("action"))
            .unique()
        )


@dataclass(frozen=True, slots=True)
class _Links:
    """Pairs of one night by number of account, for any threshold."""

    day: date
    accounts: pl.Series
    active: pl.Series
    first: Ints
    second: Ints
    similarity: np.ndarray


def _segments(sorted_ids: pl.Series) -> tuple[pl.Series, Ints]:
    """The distinct ids of a sorted column, and where each begins."""
    runs = sorted_ids.rle()
    lengths = runs.struct.field("len").to_numpy().astype(np.int64)
    return runs.struct.field("value").rename("account_id"), np.concatenate([[0], np.cumsum(lengths)])


def _groups(links: dict[str, list[_Links]], threshold: float) -> pl.DataFrame:
    """Flags of all kinds of objects at one threshold; the score is an account's strongest link."""
    frames = []
    for kind, nights in links.items():
        members = [_members(night, threshold) for night in nights]
        if members:
            frames.append(named_over_nights(pl.concat(members), kind))
    return as_flags(frames)


def _members(night: _Links, threshold: float) -> pl.DataFrame:
    kept = night.similarity >= threshold
    first, second, similarity = night.first[kept], night.second[kept], night.similarity[kept]
    label = components(first, second, len(night.accounts))
    strongest = np.zeros(len(label))
    np.maximum.at(strongest, first, similarity)
    np.maximum.at(strongest, second, similarity)
    everybody = pl.DataFrame(
        {
            "day": pl.Series([night.day], dtype=pl.Date).new_from_index(0, len(label)),
            "account_id": night.accounts,
            "group": label,
            "score": strongest,
        }
    )
    return everybody.filter(
        pl.Series(large_groups(label)) & pl.col("account_id").is_in(night.active.implode())
    )
