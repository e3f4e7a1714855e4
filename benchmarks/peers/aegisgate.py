"""AegisGate's distillation rule: phrases, pace, addresses, and accounts that look like one another.

Source: AegisGate (Go), its distillation detection, as described by those who read it: the hash of the first 50
characters as a prompt's structure; share of prompts with chain-of-thought phrases above 0.6; more than 100 prompts in an
hour; more than 5 addresses; two accounts are one cluster when 0.5 x overlap of addresses + 0.5 x overlap of
structures exceeds 0.7.

Flags: accounts alone (any of the three limits) and groups (clusters).

As published: all five numbers.
Chosen: each limit alone raises the alert, and overlap is Jaccard, for the source was not at hand to say; a ratio of phrases needs
at least 5 prompts; windows are a night. Only pairs that share an address are compared, which loses none: a
similarity above 0.7 needs both overlaps above 0.4. Of accounts behind one address each is
compared with the next 200 at most, in the order of their ids.

Needs of a log: prompts, addresses.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.peers.groups import components, large_groups, named_over_nights
from benchmarks.peers.peer import Found, as_flags
from benchmarks.peers.phrases import asks_for_reasoning
from benchmarks.peers.texts import prefix_hash
from benchmarks.peers.world import World

MOST_NEIGHBOURS = 200


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
        settings = (
            (2.0, 1 << 40, 1 << 40, self.similarity),
            (self.phrase_share, 1 << 40, 1 << 40, 2.0),
            (0.9, 1 << 40, 1 << 40, self.similarity),
            (2.0, 1 << 40, 1 << 40, 0.5),
            (2.0, 1 << 40, 1 << 40, 0.9),
            (0.3, 1 << 40, 1 << 40, 0.5),
        )
        return Found(
            flags=self._flags(alone, links, self.phrase_share, self.prompts_per_hour, self.addresses, self.similarity),
            point="as published",
            others=tuple(
                (f"phrases {share:g}, similarity {similarity:g} (above 1: off)", self._flags(alone, links, share, pace, addresses, similarity))
                for share, pace, addresses, similarity in settings
            ),
        )

    def _flags(self, alone: pl.DataFrame, links: list, share: float, pace: int, addresses: int, similarity: float) -> pl.DataFrame:
        over = (
            ((pl.col("share") > share) & (pl.col("n") >= self.least_prompts))
            | (pl.col("pace") >= pace)
            | (pl.col("addresses") >= addresses)
        )
        groups = [_clusters(day, pairs, similarity) for day, pairs in links]
        return as_flags(
            [alone.filter(over).with_columns(pl.lit(1.0).alias("score")), named_over_nights(pl.concat(groups), "cluster")]
        )


def _limits(night: pl.DataFrame, day: object) -> pl.DataFrame:
    """What the three limits look at, one row per account."""
    per_hour = night.group_by("account_id", pl.col("ts").dt.truncate("1h")).len().group_by("account_id").agg(pl.col("len").max().alias("pace"))
    return (
        night.group_by("account_id")
        .agg(pl.col("asks").mean().alias("share"), pl.col("ip").drop_nulls().n_unique().alias("addresses"), pl.col("asks").count().alias("n"))
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
        {"account_id": names.gather(code // max(len(names), 1)), "other": names.gather(code % max(len(names), 1))}
    )
    structures = night.select("account_id", "structure").drop_nulls().unique()
    overlaps = [_jaccard(pairs, used.rename({"ip": "item"})), _jaccard(pairs, structures.rename({"structure": "item"}))]
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
    return n_common / np.maximum(union, 1.0)


def _clusters(day: object, pairs: pl.DataFrame, similarity: float) -> pl.DataFrame:
    kept = pairs.filter(pl.col("similarity") > similarity)
    names = pl.concat([kept["account_id"], kept["other"].rename("account_id")]).unique().sort()
    place = pl.DataFrame({"account_id": names}).with_row_index("at")
    first = kept.join(place, on="account_id", how="left", maintain_order="left")["at"].to_numpy().astype(np.int64)
    second = kept.join(place, left_on="other", right_on="account_id", how="left", maintain_order="left")["at"].to_numpy().astype(np.int64)
    label = components(first, second, len(names))
    return pl.DataFrame(
        {"account_id": names, "group": label, "score": np.ones(len(names))}
    ).select(pl.lit(day).cast(pl.Date).alias("day"), "account_id", "group", "score").filter(pl.Series(large_groups(label)))
