"""How real simulated traffic is: a world beside real traces, and what no trace shows.

    python benchmarks/realism.py [--world DIR] [--out DIR] POOLS_DIR

Reads a world that `stillwatch simulate` wrote in Parquet (without --world it makes the preset `small`, with
the pools' prompts) and the traces of POOLS_DIR. Writes realism.md and realism/*.svg into the folder of --out
(docs/ unless told otherwise). The same world and traces give the same bytes.

A distance stands beside a floor: the distance between two halves of the trace itself. A world cannot be
closer to a trace than the trace is to itself.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from realism_page import Panel, draw, number, percent, table
from realism_traces import Days, Sample, Traces, read_traces
from realism_world import (
    Measured,
    World,
    account_lengths,
    account_medians,
    account_rates,
    daily_curve,
    lengths,
    measured,
    of_kinds,
    read_world,
    turns,
    window_cv,
)
from scipy.stats import ks_2samp, wasserstein_distance

from pipelines.simulate import simulate

Floats = npt.NDArray[np.float64]

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = Path(__file__).with_name("realism_page.txt")
"""The words of the page, with places for its tables."""

TALK = ("person_chat", "power_user", "classroom", "viral_prompt", "enterprise_seats", "new_model_mover")
AT_HOME = ("person_chat", "viral_prompt")
AT_WORK = ("enterprise_seats", "coding_agent")
CODE = ("coding_agent", "agent_orchestration")
PROGRAMS = ("single_purpose_app", "batch_job", "synthetic_data_customer", "gateway")
STANDING = ("single_purpose_app", "gateway", "synthetic_data_customer")
"""Programs that are there every day, as the clients of a trace are."""

LEAST = 20
"""Values under which a sample of a world is not compared."""
MOST = 200_000
"""Values of a sample that are compared; a larger one is thinned evenly."""
LEAST_VALUE = 1e-3
"""Below which a value counts as this much: logarithms of nothing say nothing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same thing in a world and in a trace."""

    what: str
    kinds: tuple[str, ...]
    trace_name: str
    world: Floats
    trace: Sample
    figure: str = ""
    """File it is drawn in: lengths, accounts, or none."""
    x_label: str = "tokens"
    drawn_as: str = "share"


@dataclass(frozen=True, slots=True)
class Curve:
    """Hours of the day in a world and in a trace."""

    what: str
    kinds: tuple[str, ...]
    world: Floats
    trace: Days


def main() -> None:
    options = _options()
    if options.world is not None:
        report(read_world(options.world), read_traces(options.pools), options.out)
        return
    with tempfile.TemporaryDirectory(prefix="realism-") as folder:
        simulate(Path(folder) / "world", scale="small", prompts=options.pools)
        report(read_world(Path(folder) / "world"), read_traces(options.pools), options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pools", type=Path, metavar="POOLS_DIR", help="folder with the traces")
    parser.add_argument("--world", type=Path, help="a simulated world; made anew when missing")
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of realism.md (default: docs)")
    return parser.parse_args()


def report(world: World, traces: Traces, out: Path) -> None:
    """Write the page and its plots."""
    pairs, curves = list(compared(world, traces)), list(days(world, traces))
    for name in ("lengths", "accounts"):
        shown = [pair for pair in pairs if pair.figure == name]
        panels = [Panel(p.what, p.x_label, p.trace.values, p.world, p.drawn_as) for p in shown]
        draw(panels, out / "realism" / f"{name}.svg")
    panels = [Panel(c.what, "local hour", c.trace.curve, c.world, "hours") for c in curves]
    draw(panels, out / "realism" / "days.svg")
    (out / "realism.md").write_text(page(world, pairs, curves), encoding="utf-8")


# -- what is compared with what --------------------------------------------------------------------


def compared(world: World, traces: Traces) -> Iterator[Pair]:
    """Pairs of samples, in the order of the page."""
    general, reasoning = "ServeGen, general models", "ServeGen, reasoning model"
    # The services of Azure's hour and ServeGen's general models did not reason before they answered.
    talk, code, programs = (
        of_kinds(world, kinds).filter(~pl.col("thinks")) for kinds in (TALK, CODE, PROGRAMS)
    )
    standing = of_kinds(world, STANDING)
    for service, kinds, rows, name in (
        ("conversation", TALK, talk, "Azure, chat"),
        ("code", CODE, code, "Azure, code"),
    ):
        for side, label in (("output", "answer"), ("input", "prompt")):
            trace, found = traces.lengths[service][side], lengths(rows, side)
            figure = "lengths" if side == "output" or service == "conversation" else ""
            yield Pair(f"{service}: {label} tokens", kinds, name, found, trace, figure)
    for side, label, figure in (("output", "answer", "lengths"), ("input", "prompt", "")):
        trace, found = traces.lengths["clients"][side], account_lengths(programs, side)
        yield Pair(f"programs: {label} tokens", PROGRAMS, general, found, trace, figure)
    found = lengths(world.requests.filter("thinks"), "output")
    yield Pair("with reasoning: output tokens", (), reasoning, found, traces.lengths["reasoning"]["output"])
    for what, kinds, name, found, trace, x_label, drawn_as in (
        ("median answer of an account", PROGRAMS, general, account_medians(programs), traces.median_output,
         "tokens", "share"),
        ("requests of an account / mean", STANDING, "ServeGen", account_rates(standing), traces.rate,
         "rate / mean", "rest"),
        ("variation of gaps in 10 min", PROGRAMS, "ServeGen", window_cv(programs), traces.cv,
         "coefficient of variation", "share"),
        ("turns of sittings of 2 and more", TALK, "WildChat", turns(talk), traces.turns, "turns", "rest"),
    ):  # fmt: skip
        yield Pair(what, kinds, name, found, trace, "accounts", x_label, drawn_as)


def days(world: World, traces: Traces) -> Iterator[Curve]:
    """Hours of the day, by local clock."""
    for what, kinds, trace in (
        ("people", AT_HOME, "people"),
        ("offices", AT_WORK, "office"),
        ("programs", STANDING, "all"),
    ):
        yield Curve(what, kinds, daily_curve(of_kinds(world, kinds)), traces.days[trace])


def gap(a: Floats, b: Floats) -> float:
    """Kolmogorov-Smirnov distance, 0 to 1."""
    return float(ks_2samp(_thinned(a), _thinned(b)).statistic)


def aligned(a: Floats, b: Floats) -> float:
    """The same once both medians are one; of no use for small whole numbers, which do not stretch."""
    return gap(a / np.median(a), b / np.median(b))


def factor(a: Floats, b: Floats) -> float:
    """By how much values differ on average, 1 and more: exp of the Wasserstein distance of logarithms."""
    return float(
        np.exp(wasserstein_distance(*(np.log(np.maximum(_thinned(v), LEAST_VALUE)) for v in (a, b))))
    )


def _thinned(values: Floats) -> Floats:
    ordered = np.sort(values)
    return (
        ordered if len(ordered) <= MOST else ordered[np.linspace(0, len(ordered) - 1, MOST).astype(np.int64)]
    )


def moved(a: Floats, b: Floats) -> float:
    """Share of the traffic that would have to move to another hour to turn one day into the other, 0 to 1."""
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def verdict(distance: float, floor: float) -> str:
    """In words: the trace's own unrest is the measure."""
    if distance <= 1.25 * floor:
        return "as close as the trace to itself"
    return "close" if distance <= max(2 * floor, 0.1) else "apart"


# -- the page --------------------------------------------------------------------------------------

PAIR_HEADS = ["what", "trace", "median: world", "trace", "KS", "floor", "aligned", "factor", "in words"]
CURVE_HEADS = ["what", "clients of the trace", "moved", "floor", "in words"]
_SIZE_HEADS = "kind|generators|accounts|share|requests|share|send on a day|a day: median|90 %|99 %|Gini"
_SHAPE_HEADS = (
    "kind|0 to 6 o'clock|weekend / weekday|variation of gaps"
    "|prompt 10 %|prompt median|prompt 90 %|answer 10 %|answer median|answer 90 %"
)


def page(world: World, pairs: list[Pair], curves: list[Curve]) -> str:
    """The text of realism.md."""
    kinds = [measured(world, kind) for kind in world.kinds]
    with_trace = {kind for pair in pairs for kind in pair.kinds}
    without = [kind for kind in world.kinds if kind not in with_trace]
    return PAGE.read_text(encoding="utf-8").format(
        world=f"{len(world.days)} nights from {world.days[0]} to {world.days[-1]}",
        n_requests=f"{len(world.requests):,}",
        n_accounts=f"{len(world.accounts):,}",
        n_kinds=len(kinds),
        pairs=table(PAIR_HEADS, (_pair_row(pair) for pair in pairs)),
        curves=table(CURVE_HEADS, (_curve_row(curve) for curve in curves)),
        sizes=table(_SIZE_HEADS.split("|"), (_size_row(kind, world) for kind in kinds)),
        shapes=table(_SHAPE_HEADS.split("|"), (_shape_row(kind) for kind in kinds)),
        without=", ".join(without) or "none",
    )


def _pair_row(pair: Pair) -> list[str]:
    middle = float(np.median(pair.trace.values))
    if len(pair.world) < LEAST:
        return [pair.what, pair.trace_name, "-", number(middle), *["-"] * 4, "too few in this world"]
    distance, floor = gap(pair.world, pair.trace.values), gap(*pair.trace.halves)
    return [
        pair.what,
        pair.trace_name,
        number(float(np.median(pair.world))),
        number(middle),
        f"{distance:.2f}",
        f"{floor:.2f}",
        "-" if pair.x_label == "turns" else f"{aligned(pair.world, pair.trace.values):.2f}",
        f"{factor(pair.world, pair.trace.values):.1f}",
        verdict(distance, floor),
    ]


def _curve_row(curve: Curve) -> list[str]:
    floor = moved(*curve.trace.halves)
    if curve.world.sum() == 0:
        return [curve.what, str(curve.trace.n_clients), "-", percent(floor), "none in this world"]
    distance = moved(curve.world, curve.trace.curve)
    return [
        curve.what,
        str(curve.trace.n_clients),
        percent(distance),
        percent(floor),
        verdict(distance, floor),
    ]


def _size_row(kind: Measured, world: World) -> list[str]:
    return [
        kind.kind,
        str(kind.n_generators) if kind.n_generators else "-",
        f"{kind.n_accounts:,}",
        percent(kind.n_accounts / len(world.accounts)),
        f"{kind.n_requests:,}",
        percent(kind.n_requests / max(1, len(world.requests))),
        percent(kind.active_share),
        *(number(value) for value in kind.per_day),
        number(kind.gini),
    ]


def _shape_row(kind: Measured) -> list[str]:
    numbers = (kind.off_day_ratio, kind.day_cv, *kind.prompt_tokens, *kind.answer_tokens)
    return [kind.kind, percent(kind.night_share), *(number(value) for value in numbers)]


if __name__ == "__main__":
    main()
