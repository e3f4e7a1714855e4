"""The comparison as people and as programs read it.

Here: rows, the table, JSON Lines. Not here: the figures (scorecard).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.peers.scorecard import Scorecard, together
from pipelines.evaluation.tables import Table, as_text

FIXED = "fixed beforehand"
ORACLE = "best threshold, chosen with the labels"

_HEADS = (
    "detector", "operating point", "found", "half flagged", "coverage", "purity", "precision", "recall",
    "wronged per million", "at most", "whom it wrongs most", "s", "MB",
)  # fmt: skip
_WORDS = (0, 1, 10)


@dataclass(frozen=True, slots=True)
class Row:
    """One detector at one operating point on one world."""

    world: str
    detector: str
    point: str
    chosen: str
    """FIXED or ORACLE."""
    card: Scorecard
    seconds: float
    peak_bytes: int
    notes: tuple[str, ...] = ()

    def as_json(self) -> str:
        """One line of JSON."""
        card = self.card
        figures = {
            "world": self.world,
            "detector": self.detector,
            "operating_point": self.point,
            "chosen": self.chosen,
            "n_campaigns": card.n_campaigns,
            "n_found": card.n_found,
            "n_half_flagged": card.n_half_flagged,
            "median_coverage": card.median_coverage,
            "median_purity": card.median_purity,
            "precision": card.precision,
            "recall": card.recall,
            "n_caught": card.n_caught,
            "n_campaign_accounts": card.n_guilty,
            "n_benign_accounts": card.n_of_kind.total(),
            "n_wronged": card.n_wronged.total(),
            "wronged_per_million": card.wronged_per_million,
            "wronged_per_million_high": card.wronged_per_million_high,
            "wronged_by_kind": {
                kind: {"n_wronged": card.n_wronged[kind], "n_accounts": n} for kind, n in sorted(card.n_of_kind.items())
            },
            "seconds": round(self.seconds, 2),
            "peak_bytes": self.peak_bytes,
            "notes": self.notes,
        }
        return json.dumps(figures)


def pooled(rows: Sequence[Row]) -> list[Row]:
    """Rows of several worlds added up, per detector and operating point; oracles keep a threshold per world."""
    keys = dict.fromkeys((row.detector, "" if row.chosen == ORACLE else row.point, row.chosen) for row in rows)
    merged = []
    for detector, point, chosen in keys:
        same = [
            row for row in rows if (row.detector, row.chosen) == (detector, chosen) and (chosen == ORACLE or row.point == point)
        ]
        merged.append(
            Row(
                world=f"all {len({row.world for row in rows})} worlds",
                detector=detector,
                point=point or "one per world",
                chosen=chosen,
                card=together(row.card for row in same),
                seconds=sum(row.seconds for row in same),
                peak_bytes=max(row.peak_bytes for row in same),
            )
        )
    return merged


def as_table(rows: Sequence[Row]) -> str:
    """All worlds, one table each, and one of all together if there are several."""
    worlds = list(dict.fromkeys(row.world for row in rows))
    parts = [[row for row in rows if row.world == world] for world in worlds]
    if len(parts) > 1:
        parts.append(pooled(rows))
    return as_text(table for part in parts for table in _tables(part))


def _tables(rows: Sequence[Row]) -> Iterator[Table]:
    for chosen in (FIXED, ORACLE):
        part = [row for row in rows if row.chosen == chosen]
        if part:
            notes = [f"{row.detector}: {note}" for row in part for note in row.notes if chosen == FIXED]
            yield Table(f"{rows[0].world}: {chosen}", _HEADS, [_cells(row) for row in part], _WORDS, "\n".join(notes))


def _cells(row: Row) -> tuple[str, ...]:
    card = row.card
    worst = ", ".join(f"{kind} {wronged:,} of {n:,}" for kind, wronged, n in card.worst_kinds())
    return (
        row.detector,
        row.point,
        f"{card.n_found} of {card.n_campaigns}",
        f"{card.n_half_flagged}",
        _percent(card.median_coverage),
        _percent(card.median_purity),
        _percent(card.precision),
        _percent(card.recall),
        _count(card.wronged_per_million),
        _count(card.wronged_per_million_high),
        worst or "-",
        f"{row.seconds:.1f}",
        f"{row.peak_bytes / 1e6:,.0f}",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"
