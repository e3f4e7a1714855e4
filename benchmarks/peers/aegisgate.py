"""AegisGate's distillation rule: phrases, pace, addresses, and accounts that look like one another.

Source: AegisGate (Go), its distillation detection, as described by those who read it: the hash of the first
50 characters as a prompt's structure; share of prompts with chain-of-thought phrases above 0.6; more than
100 prompts in an hour; more than 5 addresses; two accounts are one cluster when 0.5 x overlap of addresses
+ 0.5 x overlap of structures exceeds 0.7.

Flags: accounts alone (any of the three limits) and groups (clusters).

As published: all five numbers.
Chosen: each limit alone raises the alert, and overlap is Jaccard, for the source was not at hand to say; a
ratio of phrases needs at least 5 prompts; windows are a night. Only pairs that share an address are
compared, which loses none: a similarity above 0.7 needs both overlaps above 0.4. Of accounts behind one
address each is compared with the next 200 at most, in the order of their ids.

Needs of a log: prompts, addresses.
"""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import polars as pl

from benchmarks.peers.groups import components, large_groups, named_over_nights
from benchmarks.peers.peer import Found, as_flags
from benchmarks.peers.phrases import asks_for_reasoning
from benchmarks.peers.texts import prefix_hash
from benchmarks.peers.world import World

MOST_NEIGHBOURS = 200
OFF = 1 << 40
"""A limit that nothing reaches."""


@dataclass(frozen=True, slots=True)
class AegisGate:
    """See the module."""

    phrase_share: float = 0.6
    prompts_per_hour: int = 101
    addresses: int = 6
    similarity: float = 0.7
    least_prompts: int = 5
    name: str = "AegisGate rules"

    def find(self, world: World) -> Found:
        """Judge every night by itself."""
        limits, links = [], []
        for day in world.days:
            night = world.night(day, "prompt", "ip").with_columns(
                asks_for_reasoning().alias("asks"), prefix_hash().alias("structure")
            )
            limits.append(_limits(night, day))
            links.append((day, _pairs(night)))
        alone = pl.concat(limits)
        off = replace(self, phrase_share=2.0, prompts_per_hour=OFF, addresses=OFF, similarity=2.0)
        variants = {
            "phrases 0.6 alone": replace(off, phrase_share=0.6),
            "phrases 0.3 alone": replace(off, phrase_share=0.3),
            "clusters 0.9 alone": replace(off, similarity=0.9),
            "clusters 0.7 alone": replace(off, similarity=0.7),
            "clusters 0.5 alone": replace(off, similarity=0.5),
            "phrases 0.9, clusters 0.7": replace(off, phrase_share=0.9, similarity=0.7),
            "phrases 0.6, clusters 0.7": replace(off, phrase_share=0.6, similarity=0.7),
            "phrases 0.3, clusters 0.5": replace(off, phrase_share=0.3, similarity=0.5),
        }
        return Found(
            flags=self._flags(alone, links),
            point="as published",
            others=tuple((words, variant._flags(alone, links)) for words, variant in variants.items()),
        )

    def _flags(self, alone: pl.DataFrame, links: list[tuple[date, pl.DataFrame]]) -> pl.DataFrame:
        over = (
            ((pl.col("share") > self.phrase_share) & (pl.col("n") >= self.least_prompts))
            | (pl.col("pace") >= self.prompts_per_hour)
            | (pl.col("addresses") >= self.addresses)
        )
        clusters = pl.concat(_clusters(day, pairs, self.similarity) for day, pairs in links)
        lone = alone.filter(over).with_columns(pl.lit(1.0).alias("score"))
        return as_flags([lone, named_over_nights(clusters, "cluster")])


def _limits(night: pl.DataFrame, day: date) -> pl.DataFrame:
    """What the three limits look at, one row per account."""
    per_hour = (
        night.group_by("account_id", pl.col("ts").dt.truncate("1h"))
        .len()
        .group_by("account_id")
        .agg(pl.col("len").max().alias("pace"))
    )
    return (
        night.group_by("account_id")
        .agg(
            pl.col("asks").mean().alias("share"),
            pl.col("ip").drop_nulls().n_unique().alias("addresses"),
            pl.col("asks").count().alias("n"),
        )
        .join(per_hour, on="account_id")
        .with_columns(pl.lit(day).cast(pl.Date).alias("day"))
    )


def _pairs(night: pl.DataFrame) -> pl.DataFrame:
    """`account_id, other, similarity` of accounts that share an address."""
    used = night.select("account_id", "ip").drop_nulls().unique().sort("ip", "account_id")
    who = used["account_id"].rank("dense").to_numpy().astype(np.int64) - 1
    names = used["account_id"].unique().sort()
    where = used["ip"].rank("dense").to_numpy()
    codes = [np.zeros(0, np.int64)]
    for step in range(1, MOST_NEIGHBOURS + 1):
        same = where[step:] == where[:-step]
        if not same.any():
            break
        codes.append(np.unique(who[:-step][same] * len(names) + who[step:][same]))
    code = np.unique(np.concatenate(codes))
    pairs = pl.DataFrame(
        {
            "account_id": names.gather(code // max(len(names), 1)),
            "other": names.gather(code % max(len(names), 1)),
        }
    )
    structures = night.select("account_id", "structure").drop_nulls().unique()
    overlaps = [
        _jaccard(pairs, used.rename({"ip": "item"})),
        _jaccard(pairs, structures.rename({"structure": "item"})),
    ]
    return pairs.with_columns(pl.Series("similarity", 0.5 * overlaps[0] + 0.5 * overlaps[1]))


def _jaccard(pairs: pl.DataFrame, held: pl.DataFrame) -> np.ndarray:
    """Overlap of the items that both accounts of each pair hold, 0 to 1."""
    sizes = held.group_by("account_id").len("size")
    common = (
        pairs.with_row_index("pair")
        .join(held, on="account_id")
        .join(held, left_on=["other", "item"], right_on=["account_id", "item"], how="semi")
        .group_by("pair")
        .len("common")
    )
    table = (
        pairs.with_row_index("pair")
        .join(sizes, on="account_id", how="left")
        .join(sizes, left_on="other", right_on="account_id", how="left", suffix="_other")
        .join(common, on="pair", how="left")
        .sort("pair")
        .fill_null(0)
    )
    n_common = table["common"].to_numpy().astype(np.float64)
    union = table["size"].to_numpy() + table["size_other"].to_numpy() - n_common
    return np.asarray(n_common / np.maximum(union, 1.0), np.float64)


def _clusters(day: date, pairs: pl.DataFrame, similarity: float) -> pl.DataFrame:
    kept = pairs.filter(pl.col("similarity") > similarity)
    names = pl.concat([kept["account_id"], kept["other"].rename("account_id")]).unique().sort()
    place = pl.DataFrame({"account_id": names}).with_row_index("at")
    first = (
        kept.join(place, on="account_id", how="left", maintain_order="left")["at"].to_numpy().astype(np.int64)
    )
    second = (
        kept.join(place, left_on="other", right_on="account_id", how="left", maintain_order="left")["at"]
        .to_numpy()
        .astype(np.int64)
    )
    label = components(first, second, len(names))
    return (
        pl.DataFrame({"account_id": names, "group": label, "score": np.ones(len(names))})
        .select(pl.lit(day).cast(pl.Date).alias("day"), "account_id", "group", "score")
        .filter(pl.Series(large_groups(label)))
    )
