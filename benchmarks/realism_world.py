"""What a simulated world shows: its benign kinds in numbers, and samples to hold against traces.

Here: reading a world's logs and labels, and measuring. Not here: traces (realism_traces), distances and the
page (realism, realism_page).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.simulate.catalog import load_catalog

Floats = npt.NDArray[np.float64]

PER_ACCOUNT = 64
"""Values by which each account is represented where every account counts once."""
BUSY_WINDOW = 20
"""Requests in ten minutes from which on a coefficient of variation is measured."""
MANY_WINDOWS = 10
"""Busy windows from which on an account's median is taken."""
MANY_GAPS = 30
"""Requests of an account and day from which on the same is measured over the day."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One benign kind in numbers."""

    kind: str
    n_generators: int
    """0 where labels do not name generators."""
    n_accounts: int
    n_requests: int
    active_share: float
    """Mean share of accounts that send on a day."""
    per_day: tuple[float, float, float]
    """Requests of an account on a day on which it sends: median, 90 %, 99 %."""
    gini: float
    """Of requests per account over the whole world, silent ones included: 0 all alike, 1 one sends all."""
    night_share: float
    """Of requests between 0 and 6 by the clock of the country they come from."""
    day_cv: float
    """Median over account days of at least MANY_GAPS requests of the variation of gaps; NaN without any."""
    off_day_ratio: float
    """Requests on a Saturday or Sunday over those on another day; NaN where one of them is missing."""
    prompt_tokens: tuple[float, float, float]
    """Input tokens: 10 %, median, 90 %."""
    answer_tokens: tuple[float, float, float]
    """Output tokens of answered requests: 10 %, median, 90 %."""


@dataclass(frozen=True, slots=True)
class World:
    """Benign requests of a world, ordered by account and time, and who sent them."""

    requests: pl.DataFrame
    """account (row of `accounts`), kind, ts, day, local_hour, input_tokens, output_tokens (null when not
    answered), thinks, session (a number), has_session."""
    accounts: pl.DataFrame
    """kind, generator (null where unknown); one row per account, in the order of its id."""
    days: tuple[date, ...]
    n_campaign_accounts: int

    @property
    def kinds(self) -> list[str]:
        """Benign kinds, in alphabetical order."""
        return sorted(self.accounts["kind"].unique().to_list())


def read_world(folder: Path) -> World:
    """Read logs and labels that `stillwatch simulate` wrote in Parquet.

    Raises
    ------
    FileNotFoundError : the folder holds no labels or no logs in Parquet.
    """
    logs = sorted(folder.glob("logs/day=*/*.parquet"))
    if not logs or not (folder / "labels.parquet").exists():
        raise FileNotFoundError(f"{folder}: no logs/day=*/*.parquet with labels.parquet beside them")
    labels = pl.read_parquet(folder / "labels.parquet")
    if "generator" not in labels.columns:
        labels = labels.with_columns(pl.lit(None, pl.String).alias("generator"))
    benign = (
        labels.filter(pl.col("label") == "benign")
        .unique("account_id", keep="first", maintain_order=True)
        .sort("account_id")
        .select("account_id", "kind", "generator")
        .with_row_index("account")
    )
    clocks = pl.DataFrame(
        [(c["code"], c["utc_offset_h"]) for c in load_catalog().countries],
        schema={"country": pl.String, "offset_h": pl.Int64},
        orient="row",
    )
    columns = ["account_id", "ts", "input_tokens", "output_tokens", "reasoning_tokens", "status", "country"]
    parts = []
    for path in logs:  # one file at a time: only short columns of benign rows are kept
        rows = pl.read_parquet(path, columns=[*columns, "session_id"])
        parts.append(
            rows.join(benign.select("account_id", "account"), on="account_id")
            .join(clocks, on="country", how="left")
            .select(
                "account",
                "ts",
                pl.col("ts").dt.date().alias("day"),
                ((pl.col("ts").dt.hour() + pl.col("offset_h").fill_null(0)) % 24)
                .cast(pl.Int8)
                .alias("local_hour"),
                "input_tokens",
                pl.when(pl.col("status") == 200).then("output_tokens").alias("output_tokens"),
                (pl.col("reasoning_tokens").fill_null(0) > 0).alias("thinks"),
                pl.col("session_id").hash(0).alias("session"),
                pl.col("session_id").is_not_null().alias("has_session"),
            )
        )
    requests = pl.concat(parts).sort("account", "ts").join(benign.select("account", "kind"), on="account")
    days = tuple(sorted({date.fromisoformat(path.parent.name.removeprefix("day=")) for path in logs}))
    campaigns = labels.filter(pl.col("label") == "campaign")["account_id"].n_unique()
    return World(requests.sort("account", "ts"), benign, days, campaigns)


def measured(world: World, kind: str) -> Measured:
    """Numbers of one kind."""
    accounts = world.accounts.filter(pl.col("kind") == kind)
    rows = world.requests.filter(pl.col("kind") == kind)
    per_day = rows.group_by("account", "day").len()
    in_all = rows.group_by("account").len()["len"].to_numpy()
    totals = np.concatenate((in_all, np.zeros(len(accounts) - len(in_all))))
    active = len(per_day) / max(1, len(accounts) * len(world.days))
    n_generators = accounts["generator"].drop_nulls().n_unique()
    return Measured(
        kind=kind,
        n_generators=n_generators,
        n_accounts=len(accounts),
        n_requests=len(rows),
        active_share=active,
        per_day=_quantiles(per_day["len"], (0.5, 0.9, 0.99)),
        gini=gini(totals),
        night_share=float((rows["local_hour"] < 6).mean() or 0.0) if len(rows) else np.nan,
        day_cv=_median(_cv(rows, "day", MANY_GAPS)["cv"]),
        off_day_ratio=_off_day_ratio(rows, world.days),
        prompt_tokens=_quantiles(rows["input_tokens"], (0.1, 0.5, 0.9)),
        answer_tokens=_quantiles(rows["output_tokens"].drop_nulls(), (0.1, 0.5, 0.9)),
    )


def gini(values: Floats) -> float:
    """Inequality of a total among its owners: 0 all alike, near 1 one has it all; NaN of nothing."""
    ordered = np.sort(values)
    n, total = len(ordered), ordered.sum()
    if n == 0 or total == 0:
        return float("nan")
    return float(2 * (np.arange(1, n + 1) * ordered).sum() / (n * total) - (n + 1) / n)


# -- samples ---------------------------------------------------------------------------------------


def of_kinds(world: World, kinds: tuple[str, ...]) -> pl.DataFrame:
    """Requests of some kinds, in order of account and time."""
    return world.requests.filter(pl.col("kind").is_in(kinds))


def lengths(rows: pl.DataFrame, side: str) -> Floats:
    """Input or output tokens of all requests; of those that were answered, for the output."""
    return rows[f"{side}_tokens"].drop_nulls().to_numpy().astype(np.float64)


def account_lengths(rows: pl.DataFrame, side: str) -> Floats:
    """The same, every account of ten requests and more represented by equally many quantiles."""
    column = f"{side}_tokens"
    levels = [(at + 0.5) / PER_ACCOUNT for at in range(PER_ACCOUNT)]
    found = (
        rows.drop_nulls(column)
        .group_by("account", maintain_order=True)
        .agg(pl.len(), *(pl.col(column).quantile(q, "nearest").alias(f"{q}") for q in levels))
        .filter(pl.col("len") >= 10)
    )
    return found.drop("account", "len").to_numpy().astype(np.float64).ravel()


def account_medians(rows: pl.DataFrame) -> Floats:
    """Median answer of every account of ten requests and more."""
    found = rows.drop_nulls("output_tokens").group_by("account", maintain_order=True)
    table = found.agg(pl.len(), pl.col("output_tokens").median()).filter(pl.col("len") >= 10)
    return table["output_tokens"].to_numpy().astype(np.float64)


def account_rates(rows: pl.DataFrame) -> Floats:
    """Requests of every account that sends at all, in units of the mean of its kind."""
    sent = rows.group_by("account", "kind", maintain_order=True).len()
    return sent.select(pl.col("len") / pl.col("len").mean().over("kind"))["len"].to_numpy()


def daily_curve(rows: pl.DataFrame) -> Floats:
    """Requests by local hour, mean 1: every account weighs the same, as each client of a trace does."""
    cells = (
        rows.group_by("account", "local_hour")
        .len()
        .with_columns(pl.col("len") / pl.col("len").sum().over("account"))
    )
    hours = np.zeros(24)
    by_hour = cells.group_by("local_hour").agg(pl.col("len").sum())
    hours[by_hour["local_hour"].to_numpy()] = by_hour["len"].to_numpy()
    return hours / hours.mean() if hours.sum() > 0 else hours


def window_cv(rows: pl.DataFrame) -> Floats:
    """Per account, the median coefficient of variation of gaps within its busy ten minutes.

    Of accounts with MANY_WINDOWS of them, as in the trace: a quiet account's one busy window is its burst.
    """
    cells = _cv(rows.with_columns(pl.col("ts").dt.truncate("10m").alias("window")), "window", BUSY_WINDOW)
    found = cells.group_by("account", maintain_order=True).agg(pl.col("cv").median(), pl.len().alias("n"))
    return found.filter(pl.col("n") >= MANY_WINDOWS)["cv"].to_numpy()


def turns(rows: pl.DataFrame) -> Floats:
    """Requests of every logged session of two and more."""
    sizes = rows.filter("has_session").group_by("account", "session", "day", maintain_order=True).len()["len"]
    return sizes.filter(sizes >= 2).to_numpy().astype(np.float64)


def _cv(rows: pl.DataFrame, cell: str, least: int) -> pl.DataFrame:
    """Coefficient of variation of gaps within cells (days, windows) of at least so many requests."""
    gap = pl.col("ts").diff().dt.total_microseconds()
    same = (pl.col("account") == pl.col("account").shift(1)) & (pl.col(cell) == pl.col(cell).shift(1))
    gaps = rows.select("account", cell, pl.when(same).then(gap).alias("gap")).drop_nulls("gap")
    cells = gaps.group_by("account", cell, maintain_order=True).agg(
        pl.len(), (pl.col("gap").std() / pl.col("gap").mean()).alias("cv")
    )
    return cells.filter(pl.col("len") >= least - 1, pl.col("cv").is_finite())


def _off_day_ratio(rows: pl.DataFrame, days: tuple[date, ...]) -> float:
    n_off = sum(day.weekday() >= 5 for day in days)
    on_off = rows.filter(pl.col("day").dt.weekday() >= 6).height
    if n_off in {0, len(days)} or on_off == len(rows):
        return float("nan")
    return (on_off / n_off) / ((len(rows) - on_off) / (len(days) - n_off))


def _quantiles(values: pl.Series, levels: tuple[float, float, float]) -> tuple[float, float, float]:
    found = [values.quantile(level) for level in levels]
    low, middle, high = (float("nan") if value is None else float(value) for value in found)
    return low, middle, high


def _median(values: pl.Series) -> float:
    middle = values.median()
    return float("nan") if middle is None else float(middle)  # type: ignore[arg-type]
