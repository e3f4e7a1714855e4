"""Account outliers: PyOD's detectors on plain counts of what an account did in a night.

Source: ECOD (Li et al., TKDE 2022), COPOD (Li et al., ICDM 2020), isolation forest (Liu et al., ICDM 2008)
and HBOS (Goldstein, Dengel, KI 2012), as PyOD implements them, with its default parameters.

Flags: accounts, each alone: those whose score exceeds the level that the chosen share of account-nights
exceeded on earlier nights.

As published: the detectors and their parameters.
Chosen: the features, which are the plain counts any dashboard has (volume, hours, tokens, addresses,
shares), not Stillwatch's; contamination 0.01, where PyOD's default of 0.1 would flag every tenth customer
by design. Fitted and cut on all earlier nights, at most 20,000 account-nights of them, drawn at random: the
order of scores is settled by then.

Needs of a log: time and account; tokens, status, address and parameters where there are any. The first
night only teaches.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.peers.peer import Found, cut
from benchmarks.peers.world import World

MOST_FITTED = 20_000

_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "status",
    "ip",
    "user_agent",
    "model",
    "n_turns",
    "temperature",
    "max_tokens",
    "stream",
    "session_id",
    "system_prompt",
)


@dataclass(frozen=True, slots=True)
class Outliers:
    """One of PyOD's detectors by its name there."""

    detector: str
    contamination: float = 0.01

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.detector} (PyOD)"

    def find(self, world: World) -> Found:
        """Judge every night but the first."""
        nights = [plain_features(world.night(day, *_COLUMNS)) for day in world.days]
        scored = []
        for number in range(1, len(nights)):
            earlier, tonight = pl.concat(nights[:number]), nights[number]
            if len(earlier) > MOST_FITTED:
                earlier = earlier.sample(MOST_FITTED, seed=number)
            known, new = _scaled(earlier, tonight)
            with warnings.catch_warnings():
                # A column that is the same for nearly everybody has no skew to speak of; PyOD takes it for 0.
                warnings.simplefilter("ignore", RuntimeWarning)
                model = _models()[self.detector]().fit(known)
                score = model.decision_function(new)
            level, spread = _level(model.decision_scores_, self.contamination)
            day = pl.lit(world.days[number]).alias("day")
            scored.append(tonight.select(day, "account_id", pl.Series("score", (score - level) / spread)))
        empty = pl.DataFrame(schema={"day": pl.Date, "account_id": pl.String, "score": pl.Float64})
        return cut(
            pl.concat([empty, *scored]),
            0.0,
            f"contamination {self.contamination:g} of earlier nights",
            strictly=True,
        )


def _models() -> dict[str, Callable[[], Any]]:
    # PyOD takes seconds to import and most peers do without.
    from pyod.models.copod import COPOD  # noqa: PLC0415
    from pyod.models.ecod import ECOD  # noqa: PLC0415
    from pyod.models.hbos import HBOS  # noqa: PLC0415
    from pyod.models.iforest import IForest  # noqa: PLC0415

    return {"ECOD": ECOD, "COPOD": COPOD, "HBOS": HBOS, "IForest": lambda: IForest(random_state=0)}


DETECTORS = ("ECOD", "COPOD", "HBOS", "IForest")


def _level(scores: npt.NDArray[np.float64], contamination: float) -> tuple[float, float]:
    """The score that so small a share exceeds, and the spread that makes nights comparable."""
    return float(np.quantile(scores, 1.0 - contamination)), max(float(scores.std()), 1e-12)


def _scaled(
    earlier: pl.DataFrame, tonight: pl.DataFrame
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Both as matrices; an absent value becomes the median of earlier nights, or 0 where all are absent."""
    names = [name for name in earlier.columns if name != "account_id"]
    medians = {name: earlier[name].median() for name in names}
    filled = [
        frame.select(
            pl.col(name).fill_null(medians[name] if medians[name] is not None else 0.0) for name in names
        )
        for frame in (earlier, tonight)
    ]
    return filled[0].to_numpy(), filled[1].to_numpy()


def plain_features(night: pl.DataFrame) -> pl.DataFrame:
    """One row per account: counts, shares and spreads of one night, float64; null where the log is silent."""
    gap_s = pl.col("ts").diff().dt.total_microseconds() / 1e6
    amounts = {
        "n_requests": pl.len(),
        "n_hours": pl.col("ts").dt.truncate("1h").n_unique(),
        "most_per_hour": pl.col("ts").dt.hour().value_counts().struct.field("count").max(),
        "input_tokens": pl.col("input_tokens").sum(),
        "output_tokens": pl.col("output_tokens").sum(),
        "output_per_request": pl.col("output_tokens").mean(),
        "input_per_request": pl.col("input_tokens").mean(),
        "n_addresses": pl.col("ip").n_unique(),
        "n_clients": pl.col("user_agent").n_unique(),
        "n_sessions": pl.col("session_id").n_unique(),
        "n_systems": pl.col("system_prompt").n_unique(),
        "median_gap_s": gap_s.median(),
        "max_tokens": pl.col("max_tokens").mean(),
        "n_turns": pl.col("n_turns").mean(),
    }
    shares = {
        "error_share": (pl.col("status") >= 400).mean(),
        "night_share": (pl.col("ts").dt.hour() < 6).mean(),
        "stream_share": pl.col("stream").mean(),
        "gap_variation": gap_s.std() / gap_s.mean(),
        "output_variation": pl.col("output_tokens").std() / pl.col("output_tokens").mean(),
        "temperature": pl.col("temperature").mean(),
    }
    return (
        night.group_by("account_id", maintain_order=True)
        .agg(
            *(value.cast(pl.Float64).log1p().alias(name) for name, value in amounts.items()),
            *(value.cast(pl.Float64).alias(name) for name, value in shares.items()),
        )
        .with_columns(pl.selectors.float().fill_nan(None))
    )
