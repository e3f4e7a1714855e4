"""Write pipelines/simulate/data/shapes.json: what real traffic looks like, as fitted numbers.

Run it when the traces change: `python tools/make_traffic_shapes.py POOLS_DIR`. It reads the three traces
(`trace_*.parquet`) and the conversations of `benign_wildchat.parquet`, and keeps quantile tables, curves and
fitted parameters only: no row of a trace, no id, no text. The same pools give the same bytes. What each
number means, where it comes from and under which licence: docs/reference/traffic-shapes.md.

Here: fitting. Not here: drawing from the fit (pipelines.simulate.shapes), nor the figures of that page
(make_shapes_card.py, to be run afterwards).
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import minimize
from scipy.special import betaln
from scipy.stats import spearmanr

Floats = npt.NDArray[np.float64]

OUT = Path(__file__).resolve().parent.parent / "pipelines" / "simulate" / "data" / "shapes.json"

TAIL = (0.0, 0.001, 0.0025, 0.005, 0.01, 0.02)
LEVELS = np.array([*TAIL, *np.linspace(0.03, 0.97, 48), *(1 - np.array(TAIL[::-1]))])
"""Levels at which token quantiles are kept: close together at both ends, where the tails are."""
CLIENT_LEVELS = np.linspace(0.0, 1.0, 33)
"""Levels for laws over clients; a hundred clients carry no finer ones."""

INPUT_BINS = 24
"""Bins of the input, equally full. Chat has families of prompts of nearly one length with their own answers;
fewer bins would blend them."""
MEDIAN_EDGES = (8.0, 32.0, 128.0, 512.0)
"""Buckets of a client's median answer: short answers spread otherwise than long ones."""
SPREAD_CLASSES = 5

OFF_DAYS = {"m-mid": (3, 4, 5, 11, 12)}
"""Days (0-based) of a service on which its office-like clients rest; the trace of the other has none."""

BUSY_WINDOW = 50.0
"""Requests in ten minutes from which on the trace's coefficient of variation is taken at its word."""
WALKING_WINDOW = 100.0
"""Requests in ten minutes from which on the wandering of a rate shows above the noise of counting."""
FLOOR = 0.02
"""Least hourly rate, in units of the mean: logarithms of quieter hours say nothing."""


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python tools/make_traffic_shapes.py POOLS_DIR")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(as_json(fit(Path(sys.argv[1]))), encoding="ascii")
    print(f"{OUT.name}: {OUT.stat().st_size:,} bytes")


def as_json(shapes: dict[str, Any]) -> str:
    """Sorted keys and five significant digits: the same fit is the same text on every machine."""
    return json.dumps(_rounded(shapes), sort_keys=True, indent=None, separators=(",", ":")) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    if isinstance(value, np.ndarray):
        return _rounded(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.5g}") + 0.0
    return value


def fit(pools: Path) -> dict[str, Any]:
    """All shapes, by name."""
    azure = pl.read_parquet(pools / "trace_azure_llm_2023.parquet")
    windows = pl.read_parquet(pools / "trace_servegen_a_windows.parquet").sort("client_id", "ts")
    lengths = list(laws(pl.read_parquet(pools / "trace_servegen_a_lengths.parquet"), windows))
    talks = pl.read_parquet(pools / "benign_wildchat.parquet", columns=["group_id", "turn"])
    language = [law for law in lengths if law.service != "deepseek-r1"]
    reasoning = [law for law in lengths if law.service == "deepseek-r1"]
    clients = list(weeks(windows))
    return {
        "levels": LEVELS,
        "client_levels": CLIENT_LEVELS,
        "tokens": {
            "conversation": joint(*columns(azure, "conv")),
            "code": joint(*columns(azure, "code")),
            "api": joint(*mixture(language, by_rate=False)),
            "reasoning": joint(*mixture(reasoning, by_rate=True)),
        },
        "answers": answers(lengths),
        "medians": {"api": medians(language), "reasoning": medians(reasoning)},
        "rates": rates(windows),
        "curves": {kind: curves([c for c in clients if c.kind == kind]) for kind in KINDS},
        "off_day": {kind: off_days([c for c in clients if c.kind == kind]) for kind in KINDS},
        "off_day_clients": {
            kind: sum(c.kind == kind and c.service in OFF_DAYS for c in clients) for kind in KINDS
        },
        "levels_of_days": levels_of_days(clients),
        "burstiness": burstiness(windows),
        "wander": wander(clients),
        "turns": turns(talks),
    }


# -- tokens of a request ---------------------------------------------------------------------------


def columns(azure: pl.DataFrame, kind: str) -> tuple[Floats, Floats, Floats]:
    """Input, output and weight of every request of one service."""
    rows = azure.filter(pl.col("type") == kind)
    return (
        rows["input_tokens"].to_numpy().astype(np.float64),
        rows["output_tokens"].to_numpy().astype(np.float64),
        np.ones(len(rows)),
    )


def joint(inputs: Floats, outputs: Floats, weight: Floats) -> dict[str, Any]:
    """Quantiles of the input, and of the output within bins of the input that hold equally many requests."""
    order = np.lexsort((outputs, inputs))
    inputs, outputs, weight = inputs[order], outputs[order], weight[order]
    share = (np.cumsum(weight) - weight / 2) / weight.sum()
    of_bin = np.minimum((share * INPUT_BINS).astype(np.int64), INPUT_BINS - 1)
    rows = [
        quantiles(outputs[of_bin == number], weight[of_bin == number], LEVELS) for number in range(INPUT_BINS)
    ]
    return {
        "input": quantiles(inputs, weight, LEVELS),
        "output": np.array(rows),
        "rank_correlation": float(spearmanr(inputs, outputs).statistic) if np.ptp(weight) == 0 else None,
    }


def quantiles(values: Floats, weight: Floats, levels: Floats) -> Floats:
    """Weighted quantiles, linear between the middles of the weights."""
    order = np.argsort(values, kind="stable")
    share = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    return np.interp(levels, share, values[order])


# -- lengths of clients ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Law:
    """Token lengths of one client in one window of six hours."""

    service: str
    client: str
    weight: float
    """One over the number of the client's windows: every client counts once."""
    rate: float
    inputs: tuple[Floats, Floats]
    """Values, ascending, and their shares."""
    outputs: tuple[Floats, Floats]


def laws(lengths: pl.DataFrame, windows: pl.DataFrame) -> Iterator[Law]:
    """The windows of all clients for which both lengths are published."""
    rate = dict(windows.group_by("client_id").agg(pl.col("rate_rps").mean()).iter_rows())
    wide = (
        lengths.filter(pl.col("field") != "reason_ratio", pl.col("value").list.len() > 0)
        .pivot(on="field", index=["service", "client_id", "ts"], values=["value", "prob"])
        .drop_nulls()
        .sort("client_id", "ts")
    )
    n_windows = dict(wide.group_by("client_id").len().iter_rows())
    for row in wide.iter_rows(named=True):
        client = row["client_id"]
        yield Law(
            row["service"],
            client,
            1.0 / n_windows[client],
            rate.get(client, 0.0),
            _table(row["value_input_tokens"], row["prob_input_tokens"]),
            _table(row["value_output_tokens"], row["prob_output_tokens"]),
        )


def _table(values: list[int], shares: list[float]) -> tuple[Floats, Floats]:
    order = np.argsort(values, kind="stable")
    share = np.asarray(shares, np.float64)[order]
    return np.asarray(values, np.float64)[order], share / share.sum()


N_STRATA = 64


def mixture(all_laws: list[Law], *, by_rate: bool) -> tuple[Floats, Floats, Floats]:
    """Requests of a service as its clients' laws imply them: given client and window, input and output are
    independent, for the trace publishes no more.

    `by_rate` weighs a client by what it sends. Where the largest clients are missing from the trace,
    every client counts once instead.
    """
    rng = np.random.default_rng(0)
    middles = (np.arange(N_STRATA) + 0.5) / N_STRATA
    parts = []
    for law in all_laws:
        weight = law.weight * (law.rate if by_rate else 1.0)
        inputs = quantile_steps(*law.inputs, middles)
        outputs = rng.permutation(quantile_steps(*law.outputs, middles))
        parts.append((inputs, outputs, np.full(N_STRATA, weight)))
    inputs, outputs, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return inputs, outputs, weight


def quantile_steps(values: Floats, shares: Floats, levels: Floats) -> Floats:
    """Quantiles of a discrete law."""
    at = np.searchsorted(np.cumsum(shares), levels * (1 - 1e-9))
    return values[np.minimum(at, len(values) - 1)]


def answers(all_laws: list[Law]) -> dict[str, Any]:
    """How answers of one client spread around their median: by size of the median, and by width.

    Each row of `log_ratio` [bucket][width class] holds quantiles of log((tokens + 0.5) / (median + 0.5)),
    averaged over the windows of that class; every client counts once.
    """
    tables = []
    for law in all_laws:
        values = quantile_steps(*law.outputs, LEVELS)
        median = float(quantile_steps(*law.outputs, np.array([0.5]))[0])
        tables.append((median, law.weight, np.log((values + 0.5) / (median + 0.5))))
    median = np.array([row[0] for row in tables])
    weight = np.array([row[1] for row in tables])
    ratios = np.array([row[2] for row in tables])
    bucket = np.searchsorted(MEDIAN_EDGES, median, side="right")
    wide, narrow = np.searchsorted(LEVELS, (0.9, 0.1))
    width = ratios[:, wide] - ratios[:, narrow]
    table = []
    for number in range(len(MEDIAN_EDGES) + 1):
        mine = np.flatnonzero(bucket == number)
        mine = mine[np.argsort(width[mine], kind="stable")]
        share = (np.cumsum(weight[mine]) - weight[mine] / 2) / weight[mine].sum()
        classes = np.minimum((share * SPREAD_CLASSES).astype(np.int64), SPREAD_CLASSES - 1)
        table.append(
            [
                np.average(ratios[mine[classes == c]], axis=0, weights=weight[mine[classes == c]])
                for c in range(SPREAD_CLASSES)
            ]
        )
    return {"median_edges": list(MEDIAN_EDGES), "log_ratio": np.array(table)}


def medians(all_laws: list[Law]) -> dict[str, Any]:
    """How clients differ: logarithms of a client's median lengths, and how the two go together."""
    of_client: dict[str, list[tuple[float, float]]] = {}
    half = np.array([0.5])
    for law in all_laws:
        pair = (float(quantile_steps(*law.inputs, half)[0]), float(quantile_steps(*law.outputs, half)[0]))
        of_client.setdefault(law.client, []).append(pair)
    typical = np.array([np.median(rows, axis=0) for rows in of_client.values()])
    pairs = np.log(np.maximum(typical, 1.0))
    steady = [
        np.std(np.log(np.maximum(np.array(rows)[:, 1], 1.0))) for rows in of_client.values() if len(rows) > 3
    ]
    return {
        "n_clients": len(pairs),
        "log_input": np.quantile(pairs[:, 0], CLIENT_LEVELS),
        "log_output": np.quantile(pairs[:, 1], CLIENT_LEVELS),
        "rank_correlation": float(spearmanr(pairs[:, 0], pairs[:, 1]).statistic),
        "drift_log_sd": float(np.median(steady)),
    }


# -- rates, days and bursts ------------------------------------------------------------------------

KINDS = ("people", "office", "machine")


@dataclass(frozen=True, slots=True)
class Week:
    """One client's two weeks."""

    service: str
    kind: str
    rate: Floats
    """Requests per second, shape (14 days, 144 windows)."""
    cv: Floats
    hourly: Floats
    """Mean day, 24 hours, in units of its mean."""


def weeks(windows: pl.DataFrame) -> Iterator[Week]:
    """Clients that are seen in most hours of their two weeks and send enough for a daily curve."""
    for (service, _), rows in windows.group_by("service", "client_id", maintain_order=True):
        if len(rows) != 14 * 144:
            continue
        rate = rows["rate_rps"].to_numpy().reshape(14, 144)
        hours = rate.reshape(14, 24, 6).mean(axis=2)
        if (hours > 0).mean() < 0.5 or rate.mean() * 86_400 < 500:
            continue
        hourly = hours.mean(axis=0) / hours.mean()
        yield Week(service, kind_of(hourly), rate, rows["cv"].to_numpy().reshape(14, 144), hourly)


def kind_of(hourly: Floats) -> str:
    """What stands behind a client: its daily wave is deep (people) or shallow (machine), and the evening
    counts (people at home) or does not (an office). Someone else's clock or a nightly job is a machine's."""
    wave = 2 * abs(np.fft.rfft(hourly)[1]) / 24
    night, work, evening = hourly[1:7].mean(), hourly[9:18].mean(), hourly[19:24].mean()
    if wave < 0.3 or night > 0.7:
        return "machine"
    return "office" if evening < 0.8 * work else "people"


N_WAYS = 3


def curves(clients: list[Week]) -> dict[str, Any]:
    """The mean daily curve of a kind, the main ways in which clients depart from it, and how far.

    Logarithms of hourly rates; a client is `mean + scores @ ways + noise`, scores and noise normal.
    """
    logs = np.log(np.maximum([client.hourly for client in clients], FLOOR))
    mean = logs.mean(axis=0)
    _, size, ways = np.linalg.svd(logs - mean, full_matrices=False)
    ways = ways[:N_WAYS] * np.sign(ways[:N_WAYS].sum(axis=1, keepdims=True))
    scale = size[:N_WAYS] / np.sqrt(len(clients) - 1)
    rest = (logs - mean) - (logs - mean) @ ways.T @ ways
    average = np.mean([client.hourly for client in clients], axis=0)
    return {
        "n_clients": len(clients),
        "average": average / average.mean(),
        "log_mean": mean,
        "log_ways": ways * scale[:, None],
        "log_noise_sd": float(rest.std()),
    }


def off_days(clients: list[Week]) -> Floats:
    """How much of a working day's traffic a client sends on a day off, over clients."""
    ratios = []
    for client in clients:
        off = OFF_DAYS.get(client.service)
        if off is not None:
            day = client.rate.mean(axis=1)
            ratios.append(day[list(off)].mean() / np.delete(day, off).mean())
    return np.quantile(ratios, CLIENT_LEVELS)


def levels_of_days(clients: list[Week]) -> dict[str, Any]:
    """How a client's daily totals move from day to day, like against like: deviation of logarithms."""
    found = []
    for client in clients:
        day = client.rate.mean(axis=1)
        logs = np.log(np.maximum(day / day.mean(), FLOOR))
        off = np.isin(np.arange(len(day)), OFF_DAYS.get(client.service, ()))
        for alike in (off, ~off):
            if alike.any():
                logs[alike] -= logs[alike].mean()
        found.append((logs.std(ddof=1), (logs[1:] * logs[:-1]).mean() / (logs**2).mean()))
    pairs = np.array(found)
    return {
        "n_clients": len(pairs),
        "log_sd": np.quantile(np.log(pairs[:, 0]), CLIENT_LEVELS),
        "neighbour_correlation": float(np.median(pairs[:, 1])),
    }


def rates(windows: pl.DataFrame) -> dict[str, Any]:
    """How much more the busiest send: logarithms of a client's mean rate, in units of its service's mean."""
    mean = windows.group_by("service", "client_id", maintain_order=True).agg(pl.col("rate_rps").mean())
    mean = mean.filter(pl.col("rate_rps") > 0).with_columns(
        (pl.col("rate_rps") / pl.col("rate_rps").mean().over("service")).alias("share")
    )
    logs = np.log(mean["share"].to_numpy())
    return {"n_clients": len(logs), "log_rate": np.quantile(logs, CLIENT_LEVELS)}


def burstiness(windows: pl.DataFrame) -> dict[str, Any]:
    """Coefficient of variation of pauses within ten minutes: over clients, and within a client."""
    busy = windows.filter(pl.col("rate_rps") * pl.col("window_s") >= BUSY_WINDOW, pl.col("cv") > 0)
    of_client = (
        busy.group_by("client_id", maintain_order=True)
        .agg(pl.col("cv").median(), pl.col("cv").log().std().alias("sd"), pl.len().alias("n"))
        .filter(pl.col("n") >= 10)
    )
    return {
        "n_clients": len(of_client),
        "log_cv": np.quantile(np.log(of_client["cv"].to_numpy()), CLIENT_LEVELS),
        "log_sd_within": float(of_client["sd"].median()),
        "gamma_share": float((busy["pattern"] == "Gamma").mean()),
    }


def wander(clients: list[Week]) -> dict[str, Any]:
    """How rates move between neighbouring windows once the daily curve is taken out: an AR(1) of logs.

    Counting noise (cv squared over the number of requests) is taken off the variance.
    """
    found = []
    for client in clients:
        n = client.rate * 600.0
        enough = (n >= WALKING_WINDOW) & (client.cv > 0)
        if enough.mean() < 0.3:
            continue
        logs = np.ma.masked_where(~enough, np.log(np.maximum(n, 1.0)))
        # The mean of the hour is the daily curve, that of the day its level; the rest moves within the day.
        rest = logs - logs.mean(axis=0)
        rest -= rest.mean(axis=1)[:, None]
        noise = (client.cv[enough] ** 2 / n[enough]).mean()
        variance = float((rest**2).mean()) - noise
        neighbours = float((rest[:, 1:] * rest[:, :-1]).mean())
        if variance > 1e-4:
            found.append((np.sqrt(variance), np.clip(neighbours / variance, 0.0, 0.99)))
    pairs = np.array(found)
    return {
        "n_clients": len(pairs),
        "log_sd": np.quantile(np.log(pairs[:, 0]), CLIENT_LEVELS),
        "neighbour_correlation": float(np.median(pairs[:, 1])),
    }


# -- conversations ---------------------------------------------------------------------------------


EXACT = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 2_000}
"""Far beyond the digits kept, so that another machine's rounding changes none of them."""


def turns(talks: pl.DataFrame) -> dict[str, Any]:
    """How long conversations go on: a geometric law whose chance of going on differs between people.

    Fitted to conversations of two and more turns, because the pool holds hardly any single ones. A mixture
    of geometric laws over Beta(a, b) keeps its `a` under that cut; `b` follows from the wanted mean.
    """
    n = talks.group_by("group_id").agg((pl.col("turn").max() + 1).alias("n"))["n"].to_numpy()
    further = n[n >= 2] - 2.0

    def unlikely(log_ab: Floats) -> float:
        a, b = np.exp(log_ab)
        return -float(np.sum(betaln(a + 1, b + further) - betaln(a, b)))

    a, b = np.exp(minimize(unlikely, np.log([3.0, 3.0]), method="Nelder-Mead", options=EXACT).x)
    return {"n_conversations": len(further), "a": float(a), "b_after_two": float(b)}


if __name__ == "__main__":
    main()
