"""The promise that every peer keeps, and the cut that turns scores into flags.

Here: `Peer`, `Found`, the columns of a flag, thresholds of account scores. Not here: a method (one module
each), whether a flag is right (judging).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from benchmarks.peers.world import World

FLAG_SCHEMA = {
    "day": pl.Date,
    "account_id": pl.String,
    "campaign_id": pl.String,
    "score": pl.Float64,
}
"""One row per flag: night, account, group it was found in (null when alone); higher is more suspicious."""

LEAST_GROUP = 5
"""Accounts of a group that any group-finding peer may report. The papers' own sizes (SynchroTrap speaks of
hundreds) belong to networks of a billion accounts; pairs and households are no campaign for anybody."""

_N_OTHER_THRESHOLDS = 24


@dataclass(frozen=True, slots=True)
class Found:
    """What a peer found in a world.

    Attributes
    ----------
    flags : FLAG_SCHEMA, at the operating point that was fixed beforehand
    point : that operating point in words
    stated : flags at further points that were fixed beforehand as well, such as a stricter tier
    others : flags at other thresholds, each with its own words; only to show, with the labels in hand, how
        good the method could have been
    notes : what a reader has to know, such as how many accounts were too quiet to be tested
    """

    flags: pl.DataFrame
    point: str
    stated: tuple[tuple[str, pl.DataFrame], ...] = ()
    others: tuple[tuple[str, pl.DataFrame], ...] = ()
    notes: tuple[str, ...] = ()


class Peer(Protocol):
    """A published detector. Its module's docstring names source, parameters and needs."""

    @property
    def name(self) -> str:
        """Short and unique, as in the table."""

    def find(self, world: World) -> Found:
        """Judge every night of a world, each with thresholds that knew earlier nights at most."""


def flags(peer: Peer, world: World) -> pl.DataFrame:
    """`day, account_id, campaign_id, score` of everything the peer flags at its operating point."""
    return peer.find(world).flags


def no_flags() -> pl.DataFrame:
    """An empty frame of flags."""
    return pl.DataFrame(schema=FLAG_SCHEMA)


def as_flags(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Flags of several nights as one frame; a missing `campaign_id` is null."""
    shaped = [
        frame.with_columns(pl.lit(None, pl.String).alias("campaign_id"))
        if "campaign_id" not in frame.columns
        else frame
        for frame in frames
    ]
    parts = [frame.select(pl.col(name).cast(kind) for name, kind in FLAG_SCHEMA.items()) for frame in shaped]
    return pl.concat([no_flags(), *parts]).sort("day", "account_id", "campaign_id")


def cut(
    scores: pl.DataFrame, threshold: float, point: str, *, strictly: bool = False, notes: tuple[str, ...] = ()
) -> Found:
    """Flag every account-night that scores at least `threshold` (more, if `strictly`).

    Parameters
    ----------
    scores : day, account_id, score and perhaps campaign_id, of every account-night that was tested; the
        score is scaled so that one threshold serves all nights
    """
    usable = scores.filter(pl.col("score").is_not_null() & pl.col("score").is_not_nan())
    held = pl.col("score") > threshold if strictly else pl.col("score") >= threshold
    return Found(
        flags=as_flags([usable.filter(held)]),
        point=point,
        others=tuple(
            (f"score {level:.4g} and above", as_flags([usable.filter(pl.col("score") >= level)]))
            for level in _levels(usable["score"].to_numpy())
        ),
        notes=notes,
    )


def _levels(scores: np.ndarray) -> list[float]:
    """Thresholds from half of everybody down to the topmost few, close together where few are flagged."""
    if len(scores) == 0:
        return []
    tail = np.geomspace(0.5, min(0.5, 2.0 / len(scores)), _N_OTHER_THRESHOLDS)
    return sorted({float(level) for level in np.quantile(scores, 1.0 - tail, method="higher")})
