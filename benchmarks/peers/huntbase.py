"""Huntbase's hunt for advisory AA26-251A: addresses that many accounts share, and sheer volume.

Source: repository huntbase-io/hunts, hunt "Industrial-Scale AI Model Distillation" (September 2026), its
three queries over 14 days of logs.

Flags: groups (an address, or an address with a user agent) and accounts alone (volume).

As published: 20 or more accounts on one address; more than 5 accounts on one address with one user agent;
more than 10,000 requests of one account from one address; each over a look-back of 14 days.
Chosen: the volume is scaled to the nights at hand (n of 14), the numbers of accounts are not, since they do
not grow with time; the query for domain names is left out (a request log has none), and so is the last
step, which asks a person or an agent for a verdict. The hunt itself says that NATs and enterprises will
match.

Needs of a log: addresses, user agents.
"""

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from benchmarks.peers.groups import named_over_nights
from benchmarks.peers.peer import Found, as_flags
from benchmarks.peers.world import World

LOOK_BACK_NIGHTS = 14
OFF = 1 << 40
"""A limit that nothing reaches."""


@dataclass(frozen=True, slots=True)
class Huntbase:
    """See the module."""

    accounts_per_address: int = 20
    accounts_per_client: int = 6
    requests: int = 10_001
    name: str = "Huntbase AA26-251A"

    def find(self, world: World) -> Found:
        """Judge every night by the fortnight that ends with it."""
        nights: list[pl.DataFrame] = []
        crowded, busy = [], []
        for day in world.days:
            rows = world.night(day, "ip", "user_agent").drop_nulls("ip")
            counted = rows.group_by("account_id", "ip", "user_agent").agg(pl.len().cast(pl.Int64).alias("n"))
            nights = [*nights[-LOOK_BACK_NIGHTS + 1 :], counted]
            seen = pl.concat(nights)
            scale = len(nights) / LOOK_BACK_NIGHTS
            active = counted.select("account_id").unique()
            crowded.append(_crowds(seen, day).join(active, on="account_id", how="semi"))
            volume = seen.group_by("account_id", "ip").agg(pl.col("n").sum() / scale)
            busy.append(
                volume.group_by("account_id")
                .agg(pl.col("n").max().alias("score"))
                .join(active, on="account_id", how="semi")
                .with_columns(pl.lit(day).alias("day"))
            )
        groups, volumes = pl.concat(crowded), pl.concat(busy)
        variants = {
            f"{n} accounts an address or a client there": replace(
                self, accounts_per_address=n, accounts_per_client=n, requests=OFF
            )
            for n in (5, 10, 20, 50, 100)
        }
        uncrowded = replace(self, accounts_per_address=OFF, accounts_per_client=OFF)
        variants |= {f"{n:,} requests alone": replace(uncrowded, requests=n) for n in (500, 1_000, 10_000)}
        return Found(
            flags=self._flags(groups, volumes),
            point=f"{self.accounts_per_address} accounts an address, {self.requests - 1:,} requests",
            others=tuple((words, variant._flags(groups, volumes)) for words, variant in variants.items()),
        )

    def _flags(self, groups: pl.DataFrame, volumes: pl.DataFrame) -> pl.DataFrame:
        limits = (("address", self.accounts_per_address), ("client", self.accounts_per_client))
        crowds = [
            named_over_nights(groups.filter((pl.col("kind") == kind) & (pl.col("score") >= least)), kind)
            for kind, least in limits
        ]
        return as_flags([*crowds, volumes.filter(pl.col("score") >= self.requests)])


def _crowds(seen: pl.DataFrame, day: date) -> pl.DataFrame:
    """`day, account_id, group, kind, score` of all accounts that share an address, and a client there."""
    keys = {"address": ["ip"], "client": ["ip", "user_agent"]}
    return pl.concat(
        seen.select("account_id", *columns)
        .unique()
        .with_columns(pl.len().over(columns).cast(pl.Float64).alias("score"))
        .filter(pl.col("score") >= 5)
        .select(
            pl.lit(day).cast(pl.Date).alias("day"),
            "account_id",
            pl.concat_str([pl.col(name).fill_null("") for name in columns], separator=" ").alias("group"),
            pl.lit(kind).alias("kind"),
            "score",
        )
        for kind, columns in keys.items()
    )
