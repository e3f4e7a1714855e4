"""The realism report as a page: tables in Markdown, plots in SVG, the same bytes for the same numbers.

Here: how it looks. Not here: what was measured (realism_world, realism_traces) and compared (realism).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

TRACE, WORLD = "#4d4d4d", "#d1495b"
POINTS = 160
"""Of a curve: enough for the eye, few enough for a small file."""

mpl.use("Agg")
mpl.rcParams.update(
    {
        "svg.hashsalt": "stillwatch",  # ids in a file follow from it instead of a random number
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "path.simplify": True,
    }
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a trace and a world, drawn alike."""

    title: str
    x_label: str
    trace: Floats
    world: Floats
    kind: str
    """hours: 24 values by hour; share: share of values at most so large, logarithmic across; rest: share of
    values at least so large, logarithmic both ways."""


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table, the first column a name, the others numbers."""
    lines = (heads, ["---", *["---:"] * (len(heads) - 1)], *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Three digits, without exponents; a dash for nothing."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{float(f'{value:.3g}'):.10g}"


def percent(value: float) -> str:
    """A share in per cent; a dash for nothing."""
    return "-" if not math.isfinite(value) else f"{value:.1%}"


def draw(panels: list[Panel], out: Path) -> None:
    """Panels side by side in one SVG file."""
    figure = Figure(figsize=(3.1 * len(panels), 2.6), layout="constrained")
    for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        _panel(axes, panel)
    figure.axes[0].legend(frameon=False)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=9)
    axes.set_xlabel(panel.x_label)
    for values, label, colour, width in (
        (panel.trace, "trace", TRACE, 2.2),
        (panel.world, "world", WORLD, 1.3),
    ):
        if panel.kind == "hours":
            axes.step(
                np.arange(25),
                np.append(values, values[-1]),
                where="post",
                label=label,
                color=colour,
                lw=width,
            )
        elif np.any(values > 0):
            axes.plot(*_line(values, panel.kind), label=label, color=colour, lw=width)
    if panel.kind == "hours":
        axes.set_xticks([0, 6, 12, 18, 24])
        axes.set_ylim(bottom=0)
        return
    axes.set_xscale("log")
    if panel.kind == "rest":
        axes.set_yscale("log")


def _line(values: Floats, kind: str) -> tuple[Floats, Floats]:
    """Distribution function of values above 0, or its rest, at a few levels; closer together in the tail."""
    ordered = np.sort(values[values > 0])
    if kind == "share":
        level = np.linspace(0.0, 1.0, POINTS)
        return np.quantile(ordered, level), level
    rest = np.geomspace(1.0, 1.0 / max(2, len(ordered)), POINTS)
    return np.quantile(ordered, 1.0 - rest), rest
