"""What each part of the judgement is worth: the same nights judged again without it.

Here: judging a scanned workspace once more, its rows, their table. Not here: what a part is
(detector.campaigns.left_out, pipelines.scores), making and scanning the world (quality_runs).

The requests stay loaded and the features stay as they are; families are found again, because later steps
read temporary tables of that step; accounts are scored, campaigns searched and findings published anew, night
after night, each with the earlier nights as they were judged without the part, too.
"""

import json
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import get_args

from quality_runs import Row, Run, about, scanned

from detector.campaigns import Part
from pipelines import campaigns, families, scores
from pipelines.evaluation import evaluate, over_seeds
from pipelines.evaluation.tables import Table, between, per_million, percent
from pipelines.publish import publish
from pipelines.settings import DetectionSettings, Settings
from pipelines.warehouse.opening import n_threads, open_warehouse
from pipelines.workspace import Workspace

NOTHING = "nothing"
PARTS: tuple[Part, ...] = get_args(Part)

KEPT_ROWS = ("campaign", "benign_kind", "finding", "re_emergence", "total")
"""Rows of an evaluation that the table is made from."""


def measured_without(run: Run) -> Iterator[Row]:
    """The rows of one world, scanned as it is and judged again without each part; `left_out` says which."""
    began = time.perf_counter()
    with scanned(run) as (out, workspace, made):
        for part in (NOTHING, *PARTS):
            judged = workspace
            if part != NOTHING:
                judged = without(workspace, out.parent / f"without-{part}", (part,))
            for line in evaluate(judged, out / "labels.parquet").jsonl():
                row = json.loads(line)
                if row["row"] in KEPT_ROWS:
                    yield run.marks | {"left_out": part} | row
            if judged is not workspace:
                shutil.rmtree(judged.root)
        yield run.marks | about(run, made, began)


def without(workspace: Workspace, folder: Path, parts: Collection[Part]) -> Workspace:
    """A copy of a scanned workspace in `folder`, all its nights judged again without these parts."""
    shutil.copytree(workspace.root, folder)
    copy = Workspace(folder)
    settings = Settings(detection=DetectionSettings(leave_out=tuple(parts)))
    with copy.lock(), open_warehouse(copy, settings) as con:
        for (day,) in con.execute("SELECT day FROM night.summary ORDER BY day").fetchall():
            families.find_night_families(con, day, copy.key(), n_threads(settings))
            scores.score_accounts(con, day, settings)
            campaigns.find_campaigns(con, day, settings)
        publish(con, copy)
    return copy


HEADS = (
    "left out",
    "campaigns",
    "found",
    "recall",
    "95 % interval",
    "coverage",
    "purity",
    "flagged per million",
    "above watch per million",
)


def ablation_table(rows: Sequence[Row]) -> Table:
    """One line for each part that was left out, over all worlds of the rows."""
    cells = []
    for part in (NOTHING, *PARTS):
        ours = [row for row in rows if row.get("left_out") == part]
        worlds = [list(group) for _, group in groupby(sorted(ours, key=_world), key=_world)]
        if not worlds:
            continue
        pooled = over_seeds(worlds)
        total = pooled.total.row(0, named=True)
        recall = next(pooled.recall.filter(by="all").iter_rows(named=True), None)
        medians = dict(pooled.coverage.select("what", "median").iter_rows())
        cells.append(
            (
                part,
                f"{total['n_campaigns']:,}",
                f"{total['n_detected']:,}",
                percent(total["campaign_recall"]),
                between(recall["low"], recall["high"]) if recall else "-",
                percent(medians["coverage"]),
                percent(medians["purity"]),
                per_million(total, "per_million_flagged"),
                per_million(total, "per_million_above_watch"),
            )
        )
    return Table("What each part is worth", HEADS, cells, (0,))


def _world(row: Row) -> tuple[int, str]:
    return row["seed"], row.get("variant", "")
