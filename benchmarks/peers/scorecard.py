"""One detector's figures, at one operating point, over one world or several.

Here: counting through the judge that `stillwatch evaluate` uses, the same for everybody; picking the best
threshold with the labels, to be shown as what it is. Not here: definitions of the figures
(pipelines.evaluation), their table (table).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import median

import polars as pl

from benchmarks.peers.peer import FLAG_SCHEMA
from pipelines.evaluation import judge
from pipelines.evaluation.intervals import exact


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a world: labels, which accounts sent how much on which night, the nights."""

    labels: pl.DataFrame
    activity: pl.DataFrame
    nights: tuple[date, ...]


@dataclass(slots=True)
class Scorecard:
    """Counts that add up over worlds.

    Attributes
    ----------
    coverage, purity : of the campaigns that were found, 0 to 1
    n_half_flagged : campaigns of which at least half of the accounts are flagged, in whatever group or none
    n_wronged, n_of_kind : by benign kind, accounts flagged on any night and accounts that were active
    """

    n_campaigns: int = 0
    n_found: int = 0
    n_half_flagged: int = 0
    coverage: list[float] = field(default_factory=list)
    purity: list[float] = field(default_factory=list)
    n_guilty: int = 0
    n_caught: int = 0
    n_wronged: Counter[str] = field(default_factory=Counter)
    n_of_kind: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float | None:
        """Share of the flagged accounts that belong to a campaign; null when none is flagged."""
        flagged = self.n_caught + self.n_wronged.total()
        return self.n_caught / flagged if flagged else None

    @property
    def recall(self) -> float | None:
        """Share of the campaigns' accounts that are flagged; null without campaigns."""
        return self.n_caught / self.n_guilty if self.n_guilty else None

    @property
    def median_coverage(self) -> float | None:
        """Over the campaigns found; null when none was."""
        return median(self.coverage) if self.coverage else None

    @property
    def median_purity(self) -> float | None:
        """Over the campaigns found; null when none was."""
        return median(self.purity) if self.purity else None

    @property
    def wronged_per_million(self) -> float | None:
        """Benign accounts flagged on any night, per million active benign accounts."""
        n_benign = self.n_of_kind.total()
        return self.n_wronged.total() * 1e6 / n_benign if n_benign else None

    @property
    def wronged_per_million_high(self) -> float | None:
        """The upper end of its exact 95 % interval (Clopper-Pearson, two-sided)."""
        high = exact(self.n_wronged.total(), self.n_of_kind.total()).high
        return None if high is None else high * 1e6

    def worst_kinds(self, n: int = 3) -> list[tuple[str, int, int]]:
        """The benign kinds most of whose accounts are flagged, by number: kind, flagged, active."""
        ranked = sorted(self.n_wronged.items(), key=lambda kind: (-kind[1], kind[0]))
        return [(kind, wronged, self.n_of_kind[kind]) for kind, wronged in ranked[:n] if wronged]


def score(flags: pl.DataFrame, truth: Truth) -> Scorecard:
    """Judge flags of one world."""
    judged = judge(truth.labels, flags.select(*FLAG_SCHEMA), truth.activity, nights=truth.nights)
    campaigns, kinds = judged.campaigns, judged.benign_kinds
    total = judged.total.row(0, named=True)
    found = campaigns.filter("detected")
    wronged = Counter(dict(kinds.select("kind", pl.col("at_watch") + pl.col("above_watch")).iter_rows()))
    return Scorecard(
        n_campaigns=campaigns.height,
        n_found=found.height,
        n_half_flagged=campaigns.filter(2 * pl.col("n_flagged") >= pl.col("n_accounts")).height,
        coverage=found["coverage"].to_list(),
        purity=found["purity"].to_list(),
        n_guilty=total["n_campaign_accounts"],
        n_caught=total["n_flagged"] - wronged.total(),
        n_wronged=wronged,
        n_of_kind=Counter(dict(kinds.select("kind", "n_accounts").iter_rows())),
    )


def best_with_labels(
    points: Sequence[tuple[str, pl.DataFrame]], truth: Truth, most_per_million: float = math.inf
) -> tuple[str, Scorecard] | None:
    """The point whose flagged accounts have the best F1, if they wrong no more than so many per million.

    Null when no point wrongs as few. Accounts are counted here, campaigns only for the point that is chosen.
    """
    sent = truth.activity["account_id"].unique()
    people = (
        truth.labels.select("account_id", "label").unique().filter(pl.col("account_id").is_in(sent.implode()))
    )
    n_guilty = people.filter(pl.col("label") == "campaign").height
    n_benign = people.height - n_guilty
    best: tuple[float, str, pl.DataFrame] | None = None
    for words, flags in points:
        flagged = people.filter(pl.col("account_id").is_in(flags["account_id"].unique().implode()))
        n_caught = flagged.filter(pl.col("label") == "campaign").height
        n_wronged = flagged.height - n_caught
        f1 = 2 * n_caught / max(flagged.height + n_guilty, 1)
        if n_wronged * 1e6 <= most_per_million * n_benign and (best is None or f1 > best[0]):
            best = (f1, words, flags)
    return None if best is None else (best[1], score(best[2], truth))


def together(cards: Iterable[Scorecard]) -> Scorecard:
    """Several worlds as one."""
    whole = Scorecard()
    for card in cards:
        whole.n_campaigns += card.n_campaigns
        whole.n_found += card.n_found
        whole.n_half_flagged += card.n_half_flagged
        whole.coverage += card.coverage
        whole.purity += card.purity
        whole.n_guilty += card.n_guilty
        whole.n_caught += card.n_caught
        whole.n_wronged += card.n_wronged
        whole.n_of_kind += card.n_of_kind
    return whole
