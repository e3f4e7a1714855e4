"""Write the figures of docs/reference/traffic-shapes.md from pipelines/simulate/data/shapes.json.

Run it after tools/make_traffic_shapes.py: `python tools/make_shapes_card.py`. A test fails when the page and
the numbers are out of step.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ROOT = Path(__file__).resolve().parent.parent
SHAPES = ROOT / "pipelines" / "simulate" / "data" / "shapes.json"
CARD = ROOT / "docs" / "reference" / "traffic-shapes.md"
BEGIN, END = "<!-- figures: tools/make_shapes_card.py -->\n", "<!-- end of figures -->\n"

REQUEST_LEVELS = (0.1, 0.5, 0.9, 0.99)
CLIENT_LEVELS = (0.0, 0.1, 0.5, 0.9, 1.0)


def main() -> None:
    head, _, rest = CARD.read_text(encoding="utf-8").partition(BEGIN)
    page = head + BEGIN + figures(json.loads(SHAPES.read_text("ascii"))) + END + rest.partition(END)[2]
    CARD.write_text(page, encoding="utf-8")


def figures(shapes: dict[str, Any]) -> str:
    """The tables of the page."""
    sides = [f"{side} {q}" for side in ("input", "output") for q in ("10 %", "median", "90 %", "99 %")]
    tables = [
        table(["tokens of a request", *sides], requests(shapes)),
        table(["over clients", "clients", "lowest", "10 %", "median", "90 %", "highest"], clients(shapes)),
        table(["daily curve", "clients", "from 0 to 6", "busiest hour", "quietest hour"], days(shapes)),
        table(["other numbers", ""], others(shapes)),
    ]
    return "\n" + "\n".join(tables)


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table, the first column a name."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def requests(shapes: dict[str, Any]) -> Iterator[list[str]]:
    """Quantiles of input and output of each service; the output's over all bins of the input."""
    levels = np.array(shapes["levels"])
    fine = (np.arange(10_000) + 0.5) / 10_000
    for name, law in shapes["tokens"].items():
        outputs = np.concatenate([np.interp(fine, levels, row) for row in law["output"]])
        shown = [*np.interp(REQUEST_LEVELS, levels, law["input"]), *np.quantile(outputs, REQUEST_LEVELS)]
        yield [name, *(number(value) for value in shown)]


def clients(shapes: dict[str, Any]) -> Iterator[list[str]]:
    """Laws over clients."""
    for label, n, logs in _over_clients(shapes):
        shown = np.exp(np.interp(CLIENT_LEVELS, shapes["client_levels"], logs))
        yield [label, str(n), *(number(value) for value in shown)]


def _over_clients(shapes: dict[str, Any]) -> Iterator[tuple[str, int, Floats]]:
    for name, label in (("api", "general models"), ("reasoning", "reasoning model")):
        law = shapes["medians"][name]
        for side in ("input", "output"):
            yield f"median {side}, {label}, tokens", law["n_clients"], law[f"log_{side}"]
    for law, field, label in (
        ("rates", "log_rate", "rate, in units of the mean of the service"),
        ("levels_of_days", "log_sd", "logarithm of a day's total between like days, deviation"),
        ("burstiness", "log_cv", "coefficient of variation within ten minutes"),
        ("wander", "log_sd", "wandering of the logarithm of the rate, deviation"),
    ):
        yield label, shapes[law]["n_clients"], shapes[law][field]
    for kind, ratios in shapes["off_day"].items():
        label = f"day off over working day, {kind}"
        yield label, shapes["off_day_clients"][kind], np.log(np.maximum(ratios, 1e-3))


def days(shapes: dict[str, Any]) -> Iterator[list[str]]:
    """Average days."""
    for kind, law in shapes["curves"].items():
        curve = np.array(law["average"])
        busiest, quietest = (
            f"{at}:00, {curve[at]:.2f} of the mean" for at in (curve.argmax(), curve.argmin())
        )
        yield [kind, str(law["n_clients"]), f"{curve[:6].sum() / 24:.1%} of traffic", busiest, quietest]


def others(shapes: dict[str, Any]) -> Iterator[list[str]]:
    """Single numbers."""
    medians, burst, talk = shapes["medians"], shapes["burstiness"], shapes["turns"]
    for name in ("conversation", "code"):
        value = shapes["tokens"][name]["rank_correlation"]
        yield [f"rank correlation of input and output, requests of {name}", f"{value:.2f}"]
    for name in medians:
        value = medians[name]["rank_correlation"]
        yield [f"rank correlation of median input and output, clients of {name}", f"{value:.2f}"]
    for law, what in (("wander", "ten minutes of a rate"), ("levels_of_days", "days' totals")):
        yield [f"correlation of neighbouring {what}", f"{shapes[law]['neighbour_correlation']:.2f}"]
    yield ["busy windows that Gamma gaps fit best (Weibull gaps the rest)", f"{burst['gamma_share']:.0%}"]
    within = burst["log_sd_within"]
    yield ["log coefficient of variation between windows of a client, deviation", f"{within:.2f}"]
    yield [f"turns of {talk['n_conversations']} conversations: Beta({talk['a']:.2f}, b), b after two turns",
           f"{talk['b_after_two']:.2f}"]  # fmt: skip


def number(value: float) -> str:
    """Three digits, without exponents."""
    return f"{value:,.0f}" if value >= 100 else f"{float(f'{value:.3g}'):.10g}"


if __name__ == "__main__":
    main()
