"""What the traces show: samples that a simulated world can be held against, each in two halves.

Here: reading traces and the conversations of a pool. Not here: worlds (realism_world), distances and the
page (realism, realism_page).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

PER_CLIENT = 64
"""Values by which each client's length law is represented, so that every client counts once."""
BUSY_WINDOW = 50.0
"""Requests in ten minutes from which on the trace's coefficient of variation is taken."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Values of a trace and the two halves of it, whose distance is the floor of any comparison."""

    values: Floats
    halves: tuple[Floats, Floats]
    how_halved: str


@dataclass(frozen=True, slots=True)
class Days:
    """Average day of the clients of a kind, and of every other client: 24 hours, mean 1."""

    curve: Floats
    halves: tuple[Floats, Floats]
    n_clients: int


@dataclass(frozen=True, slots=True)
class Traces:
    """Everything to compare with."""

    lengths: dict[str, dict[str, Sample]]
    """Service (conversation, code, clients, reasoning), then `input` or `output`: tokens of requests."""
    median_output: Sample
    """Median answers of clients, tokens."""
    rate: Sample
    """Rates of clients in units of the mean of their service."""
    cv: Sample
    """Median coefficient of variation within ten minutes, per client."""
    turns: Sample
    """User turns of conversations of two and more."""
    days: dict[str, Days]
    """people, office, all."""


def read_traces(pools: Path) -> Traces:
    """Read the traces of a folder of pools."""
    azure = pl.read_parquet(pools / "trace_azure_llm_2023.parquet").sort("ts")
    windows = pl.read_parquet(pools / "trace_servegen_a_windows.parquet").sort("client_id", "ts")
    lengths = pl.read_parquet(pools / "trace_servegen_a_lengths.parquet").sort("client_id", "ts")
    general = lengths.filter(pl.col("service") != "deepseek-r1")
    reasoning = lengths.filter(pl.col("service") == "deepseek-r1")
    return Traces(
        lengths={
            "conversation": _requests(azure.filter(pl.col("type") == "conv")),
            "code": _requests(azure.filter(pl.col("type") == "code")),
            "clients": {side: _client_lengths(general, side) for side in ("input", "output")},
            "reasoning": {side: _client_lengths(reasoning, side) for side in ("input", "output")},
        },
        median_output=_client_medians(general),
        rate=_rates(windows),
        cv=_bursts(windows),
        turns=_turns(pools),
        days=_days(windows),
    )


def _requests(rows: pl.DataFrame) -> dict[str, Sample]:
    """One service of Azure, halved at the middle of its hour."""
    middle = len(rows) // 2
    found = {}
    for side in ("input", "output"):
        values = rows[f"{side}_tokens"].to_numpy().astype(np.float64)
        found[side] = Sample(values, (values[:middle], values[middle:]), "first and second half hour")
    return found


def _by_client(values: list[Floats]) -> Sample:
    """Clients in order of their ids, every other one in each half."""
    parts = [np.concatenate(some) for some in (values, values[::2], values[1::2])]
    return Sample(parts[0], (parts[1], parts[2]), "every other client")


def _client_lengths(lengths: pl.DataFrame, side: str) -> Sample:
    return _by_client([_drawn(rows, PER_CLIENT) for rows in _clients(lengths, side)])


def _client_medians(lengths: pl.DataFrame) -> Sample:
    return _by_client(
        [np.median(_drawn(rows, PER_CLIENT), keepdims=True) for rows in _clients(lengths, "output")]
    )


def _clients(lengths: pl.DataFrame, side: str) -> list[pl.DataFrame]:
    rows = lengths.filter(pl.col("field") == f"{side}_tokens", pl.col("value").list.len() > 0)
    return rows.partition_by("client_id", maintain_order=True)


def _drawn(rows: pl.DataFrame, n: int) -> Floats:
    """`n` evenly spaced quantiles of the length law of one client, its windows weighted alike."""
    long = rows.select("value", "prob").explode("value", "prob").sort("value")
    share = np.cumsum(long["prob"].to_numpy().astype(np.float64))
    at = np.searchsorted(share, (np.arange(n) + 0.5) / n * share[-1] * (1 - 1e-9))
    return long["value"].to_numpy().astype(np.float64)[at]


def _rates(windows: pl.DataFrame) -> Sample:
    mean = windows.group_by("service", "client_id", maintain_order=True).agg(pl.col("rate_rps").mean())
    share = mean.filter(pl.col("rate_rps") > 0).select(
        pl.col("rate_rps") / pl.col("rate_rps").mean().over("service")
    )
    return _by_client([np.array([value]) for value in share["rate_rps"].to_list()])


def _bursts(windows: pl.DataFrame) -> Sample:
    busy = windows.filter(pl.col("rate_rps") * pl.col("window_s") >= BUSY_WINDOW, pl.col("cv") > 0)
    of_client = busy.group_by("client_id", maintain_order=True).agg(pl.col("cv").median(), pl.len())
    return _by_client([np.array([value]) for value in of_client.filter(pl.col("len") >= 10)["cv"].to_list()])


def _turns(pools: Path) -> Sample:
    talks = pl.read_parquet(pools / "benign_wildchat.parquet", columns=["group_id", "turn"])
    n = talks.group_by("group_id").agg(pl.col("turn").max() + 1).sort("group_id")["turn"].to_numpy()
    n = n[n >= 2].astype(np.float64)
    return Sample(n, (n[::2], n[1::2]), "every other conversation")


def _days(windows: pl.DataFrame) -> dict[str, Days]:
    """Clients seen in most hours of two weeks; people, offices and all of them.

    The rule that tells people from offices is that of tools/make_traffic_shapes.py, said again: the report
    must not borrow the fit it judges.
    """
    curves: dict[str, list[Floats]] = {"people": [], "office": [], "all": []}
    for rows in windows.partition_by("client_id", maintain_order=True):
        rate = rows["rate_rps"].to_numpy()
        if len(rate) != 14 * 144 or rate.mean() * 86_400 < 500:
            continue
        hourly = rate.reshape(14, 24, 6).mean(axis=2)
        if (hourly > 0).mean() < 0.5:
            continue
        curve = hourly.mean(axis=0) / hourly.mean()
        curves["all"].append(curve)
        if 2 * abs(np.fft.rfft(curve)[1]) / 24 >= 0.3 and curve[1:7].mean() <= 0.7:
            evening = curve[19:24].mean() / curve[9:18].mean()
            curves["office" if evening < 0.8 else "people"].append(curve)
    return {
        kind: Days(
            np.mean(some, axis=0), (np.mean(some[::2], axis=0), np.mean(some[1::2], axis=0)), len(some)
        )
        for kind, some in curves.items()
    }
