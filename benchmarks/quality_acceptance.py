"""What was asked of the monitor beside what was measured, line by line: met, not met, or not shown.

Here: the figures that were asked for, and the verdict on each. Not here: the figures' definitions
(pipelines.evaluation), the page (quality_page).

A figure is *met* when the whole 95 % interval keeps to what was asked, *not met* when the measured value
does not, and *not shown* between the two: the value keeps to it, and the worlds are too few to be sure. What
nobody measured is *not measured*.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from pipelines.evaluation import Pooled, over_seeds
from pipelines.evaluation.intervals import exact, mean_of_units, wilson
from pipelines.evaluation.tables import Table
from pipelines.evaluation.wronged import MILLION

Row = dict[str, Any]
Worlds = Mapping[str, Sequence[Sequence[Row]]]
"""Name of a world -> rows of each run of it, from texts of one kind."""

Verdict = Literal["met", "not met", "not shown", "not measured"]

REGIMES = ("low_and_wide", "middle", "high_and_narrow", "burst")
WITHOUT_CAMPAIGNS = ("benign", "benign_large")
IN_QUEUE_PER_MILLION, ABOVE_WATCH_PER_MILLION, OF_A_KIND = 10, 1, 0.001
RECALL, RECALL_ONE, RECALL_SEVERAL = 0.95, 0.85, 0.65
AT_FIRST, PURITY = 0.80, 0.95
TIED = 0.8
"""Share of a new pool's accounts that must be tied to the campaign within a night: as at a first report."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what was asked, what was measured, over how many.

    value, low, high : as shares of `scale`; null where there is nothing to measure
    at_least : whether more is better
    """

    name: str
    asked: float
    at_least: bool
    of: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    per_million: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether it is met; see the module's head."""
        if self.value is None:
            return "not measured"
        if (self.value < self.asked) if self.at_least else (self.value > self.asked):
            return "not met"
        bound = self.low if self.at_least else self.high
        if bound is None:
            return "not shown"
        return "met" if ((bound >= self.asked) if self.at_least else (bound <= self.asked)) else "not shown"

    def cells(self) -> tuple[str, ...]:
        """name, asked, measured, interval, of, verdict."""
        sign = "at least" if self.at_least else "at most"
        said = "-" if self.value is None else self._said(self.value)
        between = "-" if self.low is None or self.high is None else self._between(self.low, self.high)
        verdict = f"**{self.verdict}**" if self.verdict == "not met" else self.verdict
        return self.name, f"{sign} {self._said(self.asked)}", said, between, self.of or "-", verdict

    def _between(self, low: float, high: float) -> str:
        return f"{self._said(low)} to {self._said(high)}"

    def _said(self, share: float) -> str:
        if self.per_million:
            return f"{share * MILLION:,.0f} per million"
        return f"{share:.1%}".replace(".0%", "%")


def acceptance_table(worlds: Worlds) -> Table:
    """Every figure that was asked for, over the worlds of one kind of text."""
    pooled = {name: over_seeds(runs) for name, runs in worlds.items() if runs}
    rows = [figure.cells() for of_part in PARTS for figure in of_part(pooled)]
    heads = ("figure", "asked", "measured", "95 % interval", "of", "")
    return Table("Asked and measured", heads, rows, (0, 1, 4, 5))


# --- campaigns -------------------------------------------------------------------------------------------


def _campaigns(pooled: Mapping[str, Pooled], *names: str) -> pl.DataFrame:
    """The campaigns of these worlds together; `n_evasions` of each."""
    some = [pooled[name].campaigns for name in names if name in pooled]
    if not some:
        return pl.DataFrame(schema={"detected": pl.Boolean, "regime": pl.String, "n_evasions": pl.UInt32})
    count = pl.col("evasions").fill_null("").str.split("+").list.eval(pl.element().filter(pl.element() != ""))
    return pl.concat(some).with_columns(n_evasions=count.list.len())


def _recall(name: str, asked: float, campaigns: pl.DataFrame) -> Figure:
    n, found = campaigns.height, int(campaigns["detected"].sum() or 0)
    return _share(name, asked, found, n, "campaign")


def _share(name: str, asked: float, part: int, whole: int, what: str) -> Figure:
    """At least such a share of some units, with its Wilson interval."""
    if not whole:
        return Figure(name, asked, at_least=True)
    low, high = wilson(part, whole)
    of = f"{whole:,} {what}{'' if whole == 1 else 's'}"
    return Figure(name, asked, at_least=True, of=of, value=part / whole, low=low, high=high)


def found(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """Campaign recall: plain, by regime, under evasions."""
    plain = _campaigns(pooled, "standard").filter(pl.col("n_evasions") == 0)
    yield _recall("campaigns found, plain", RECALL, plain)
    for regime in REGIMES:
        yield _recall(f"campaigns found, plain, {regime}", RECALL, plain.filter(pl.col("regime") == regime))
    evading = _campaigns(pooled, "evasions")
    single = evading.filter(pl.col("n_evasions") == 1)
    yield _recall("campaigns found, any one evasion", RECALL_ONE, single)
    for evasion in [] if single.is_empty() else single["evasions"].unique().sort().to_list():
        of_one = single.filter(pl.col("evasions") == evasion)
        yield _recall(f"campaigns found, {evasion}", RECALL_ONE, of_one)
    several = evading.filter(pl.col("n_evasions") > 1)
    yield _recall("campaigns found, several evasions at once", RECALL_SEVERAL, several)


def held(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """How wholly and purely what was found is held."""
    campaigns = _campaigns(pooled, "standard").filter("detected")
    for column, name, asked in (
        ("coverage_at_first", "its accounts in the first report, mean of campaigns found", AT_FIRST),
        ("purity", "accounts of a finding that are the campaign's, mean of campaigns found", PURITY),
    ):
        values = campaigns[column].drop_nulls().to_numpy() if column in campaigns.columns else np.empty(0)
        if not len(values):
            yield Figure(name, asked, at_least=True)
            continue
        low, high = mean_of_units(values)
        of = f"{len(values):,} campaigns"
        yield Figure(name, asked, at_least=True, of=of, value=float(values.mean()), low=low, high=high)


def soon(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """How soon: a median of one night is half of the campaigns within one, a p90 nine tenths within three."""
    campaigns = _campaigns(pooled, "standard").filter(pl.col("n_evasions") == 0)
    for nights, asked, said in ((1, 0.5, "one night (median)"), (3, 0.9, "three nights (p90)")):
        n = 0
        if campaigns.height:
            n = campaigns.filter(pl.col("detected") & (pl.col("nights_to_detection") <= nights)).height
        yield _share(f"campaigns found within {said}", asked, n, campaigns.height, "campaign")


def tied(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """Accounts that joined a campaign after it was found and shut."""
    accounts = "accounts of re-formed pools tied within a night"
    of = pooled["feedback"].re_emergence if "feedback" in pooled else None
    if of is None or of.is_empty():
        yield Figure(accounts, TIED, at_least=True)
        return
    row = of.row(0, named=True)
    yield _share(accounts, TIED, row["n_tied_within_one_night"], row["n_joined"], "account")


# --- the innocent ----------------------------------------------------------------------------------------


def _wronged(name: str, asked: float, part: int, whole: int, *, per_million: bool, of: str = "") -> Figure:
    """At most such a share of benign accounts, with its exact interval."""
    if not whole:
        return Figure(name, asked, at_least=False, per_million=per_million)
    low, high = exact(part, whole)
    said = of or f"{whole:,} accounts"
    return Figure(name, asked, False, said, part / whole, low, high, per_million)


def quiet(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """False flags where no campaign is."""
    counts = [pooled[name].benign_kinds for name in WITHOUT_CAMPAIGNS if name in pooled]
    watch, above, n = (
        sum(int(frame[column].sum()) for frame in counts)
        for column in ("at_watch", "above_watch", "n_accounts")
    )
    place = "without campaigns, accounts"
    asked, harder = IN_QUEUE_PER_MILLION / MILLION, ABOVE_WATCH_PER_MILLION / MILLION
    yield _wronged(f"{place} in the queue", asked, watch + above, n, per_million=True)
    yield _wronged(f"{place} above watch", harder, above, n, per_million=True)


def kinds(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """The benign kind that fares worst in the queue and above watch, beside campaigns and without any."""
    for names, place in ((("standard",), "beside campaigns"), (WITHOUT_CAMPAIGNS, "without campaigns")):
        yield from _worst_kind([pooled[name].benign_kinds for name in names if name in pooled], place)


def bystanders(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """Accounts that share one thing with a campaign, by that thing."""
    if "bystanders" not in pooled:
        yield Figure("bystanders in the queue", OF_A_KIND, at_least=False)
        return
    for row in only_bystanders(pooled["bystanders"].benign_kinds).iter_rows(named=True):
        name = f"bystanders by {row['kind'].removeprefix(BYSTANDER)}, in the queue"
        flagged = row["at_watch"] + row["above_watch"]
        yield _wronged(name, OF_A_KIND, flagged, row["n_accounts"], per_million=False)


BYSTANDER = "bystander_"


def only_bystanders(kinds: pl.DataFrame) -> pl.DataFrame:
    """The rows of bystander kinds."""
    return kinds.filter(pl.col("kind").str.starts_with(BYSTANDER))


def _worst_kind(frames: Sequence[pl.DataFrame], place: str) -> Iterator[Figure]:
    names = (f"{place}, worst benign kind in the queue", f"{place}, worst benign kind above watch")
    if not any(frame.height for frame in frames):
        yield Figure(names[0], OF_A_KIND, at_least=False)
        yield Figure(names[1], 0.0, at_least=False)
        return
    counts = pl.concat(frames).group_by("kind").agg(pl.col("n_accounts", "at_watch", "above_watch").sum())
    flagged = counts.with_columns(flagged=pl.col("at_watch") + pl.col("above_watch")).sort("kind")
    for name, column, asked in ((names[0], "flagged", OF_A_KIND), (names[1], "above_watch", 0.0)):
        # Of kinds with equal shares the smallest is the least sure.
        ranked = flagged.sort(pl.col(column) / pl.col("n_accounts"), -pl.col("n_accounts"), descending=True)
        worst = ranked.row(0, named=True)
        of = f"{worst['n_accounts']:,} accounts of {worst['kind']}"
        yield _wronged(name, asked, worst[column], worst["n_accounts"], per_million=False, of=of)


def false_findings(pooled: Mapping[str, Pooled]) -> Iterator[Figure]:
    """The stated rate of false discoveries, as the mean over worlds."""
    name = "findings that are false, mean of worlds"
    if "standard" not in pooled or pooled["standard"].discoveries.is_empty():
        yield Figure(name, 0.05, at_least=False)
        return
    row = pooled["standard"].discoveries.row(0, named=True)
    of = f"{row['n_findings']:,} findings"
    asked = row["stated_rate"] if row["stated_rate"] is not None else 0.05
    yield Figure(name, asked, False, of, row["fdr"], row["fdr_low"], row["fdr_high"])


PARTS: tuple[Callable[[Mapping[str, Pooled]], Iterator[Figure]], ...] = (
    found, held, soon, tied, quiet, kinds, bystanders, false_findings,
)  # fmt: skip
