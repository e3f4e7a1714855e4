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
SPARING_PER_MILLION = 1_000
"""A tenth of a percent of all customers: more than that, no queue of people could look at."""
SPARING_ORACLE = (
    f"best threshold that wrongs at most {SPARING_PER_MILLION:,} per million, chosen with the labels"
)
_ORACLES = (ORACLE, SPARING_ORACLE)

_HEADS = (
    "detector", "operating point", "found", "half flagged", "coverage", "purity", "precision", "recall",
    "wronged per million", "at most", "s", "MB",
)  # fmt: skip
_WORST_HEADS = ("detector", "operating point", "whom it wrongs most")


@dataclass(frozen=True, slots=True)
class Row:
    """One detector at one operating point on one world."""

    world: str
    detector: str
    point: str
    chosen: str
    """FIXED, ORACLE or SPARING_ORACLE."""
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
                kind: {"n_wronged": card.n_wronged[kind], "n_accounts": n}
                for kind, n in sorted(card.n_of_kind.items())
            },
            "seconds": round(self.seconds, 2),
            "peak_bytes": self.peak_bytes,
            "notes": self.notes,
        }
        return json.dumps(figures)


def pooled(rows: Sequence[Row]) -> list[Row]:
    """Rows of several worlds added up, by detector and point; oracles keep a threshold per world."""
    keys = dict.fromkeys(
        (row.detector, "" if row.chosen in _ORACLES else row.point, row.chosen) for row in rows
    )
    merged = []
    for detector, point, chosen in keys:
        same = [
            row
            for row in rows
            if (row.detector, row.chosen) == (detector, chosen) and (chosen in _ORACLES or row.point == point)
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
    return "\n\n".join(block for part in parts for block in _blocks(part))


def _blocks(rows: Sequence[Row]) -> Iterator[str]:
    for chosen in (FIXED, *_ORACLES):
        part = [row for row in rows if row.chosen == chosen]
        if not part:
            continue
        notes = [f"{row.detector}: {note}" for row in part for note in row.notes]
        table = Table("", _HEADS, [_cells(row) for row in part], (0, 1), "\n".join(notes))
        yield f"{rows[0].world}: {chosen}\n{as_text([table])}"
        if chosen == FIXED:
            yield as_text([Table("", _WORST_HEADS, [_worst(row) for row in part], (0, 1, 2))])


def _cells(row: Row) -> tuple[str, ...]:
    card = row.card
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
        f"{row.seconds:.1f}",
        f"{row.peak_bytes / 1e6:,.0f}",
    )


def _worst(row: Row) -> tuple[str, ...]:
    worst = ", ".join(f"{kind} {wronged:,} of {n:,}" for kind, wronged, n in row.card.worst_kinds())
    return row.detector, row.point, worst or "-"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"
