"""The step `order`: people's decisions -> night.learned_order, night.learned_case.

Here: which decisions teach, and which evidence each case carries. Not here: the model, its test and its
bounds (detector.models.rerank), the queue (cases.queue).

A decision teaches by the finding as it was when the decision was made, and so does a label where nobody
decided here (pipelines.labels.teaching). Approved is positive and dismissed negative, also when the decision
has ended since; watched and reopened cases teach nothing. Campaigns and lone accounts have a model each:
what speaks for the one is not measured for the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from detector.features import SCORED, Feature
from detector.models import rerank
from detector.models.base import Float64
from pipelines import labels
from pipelines.cases import Decision, Level, Subject, Verdict, decided_so_far, labelled_so_far
from pipelines.scores import columns_of
from pipelines.settings import Settings
from pipelines.warehouse.arrow import fetch, in_one_piece, lists_of, registered
from pipelines.warehouse.statements import statement
from pipelines.warehouse.transaction import transaction
from pipelines.workspace import Workspace

TEACHES = {Verdict.APPROVE: True, Verdict.DISMISS: False}

STEPS_PER_SHARE = 20.0
"""Shares are read as log(1 + 20 x), from 0 to 3: a twentieth more is much where there was nothing."""

MEASURED = tuple(feature for feature in SCORED if feature.name != "n_countries")
"""Features of a lone account that are evidence here. Where requests come from is none that people's decisions
should teach: a country must not come in through them."""

FAR_AHEAD = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class Found:
    """Findings of one level, each once, in the order of their ids."""

    ids: list[str]
    days: list[date]
    bands: list[str]
    """their confidence"""
    cases: rerank.Cases
    pieces: tuple[str, ...]
    """what the columns of evidence are"""

    def with_pieces(self, pieces: Sequence[str]) -> rerank.Cases:
        """The same cases with these columns; 0 where a piece was not weighed."""
        columns = {name: self.cases.evidence[:, at] for at, name in enumerate(self.pieces)}
        absent = np.zeros(len(self.ids))
        evidence = np.array([columns.get(name, absent) for name in pieces]).T.reshape(
            len(self.ids), len(pieces)
        )
        return rerank.Cases(score=self.cases.score, evidence=evidence, night=self.cases.night)


def learn_order(
    con: duckdb.DuckDBPyConnection, workspace: Workspace, settings: Settings
) -> dict[Level, rerank.Lesson]:
    """Replace night.learned_order and night.learned_case by what all decisions so far teach.

    Raises
    ------
    UsageError : the case store cannot be opened.
    """
    latest = labels.with_labels(
        decided_so_far(workspace, settings.cases_url),
        labelled_so_far(workspace, settings.cases_url),
        labels.campaign_accounts(con),
    )
    (last_night,) = con.execute("SELECT max(day) FROM night.summary").fetchall()[0]
    lessons: dict[Level, rerank.Lesson] = {}
    orders: list[dict[str, Any]] = []
    ranked: list[dict[str, Any]] = []
    for level in Level if last_night is not None else ():
        lessons[level], rows = _taught(con, level, latest, settings)
        facts = {name: value for name, value in asdict(lessons[level]).items() if name != "weights"}
        orders.append(
            {"level": level, "day": last_night} | {name: _known(fact) for name, fact in facts.items()}
        )
        ranked += rows
    with transaction(con):
        for table, rows in (("learned_order", orders), ("learned_case", ranked)):
            con.execute(f"DELETE FROM night.{table}")
            columns = fetch(con, f"FROM night.{table} LIMIT 0").schema
            with registered(con, "learned", pa.Table.from_pylist(rows, schema=columns)):
                con.execute(f"INSERT INTO night.{table} BY NAME FROM learned")
    return lessons


def _taught(
    con: duckdb.DuckDBPyConnection, level: Level, latest: Mapping[Subject, Decision], settings: Settings
) -> tuple[rerank.Lesson, list[dict[str, Any]]]:
    """What the decisions about one level have come to, and the rows of its cases where they are used."""
    taught = {
        subject.id: decision
        for subject, decision in latest.items()
        if subject.level is level and decision.verdict in TEACHES
    }
    decided = find_cases(con, level, {one: made.decided_at.date() for one, made in taught.items()}, settings)
    approved = np.array([TEACHES[taught[one].verdict] for one in decided.ids], dtype=np.bool_)
    lesson = rerank.learn(decided.cases, approved, decided.bands)
    if lesson.weights is None:
        return lesson, []
    everything = find_cases(con, level, None, settings)
    log_odds = lesson.weights.log_odds(everything.with_pieces(decided.pieces))
    rows = zip(everything.ids, everything.days, log_odds.tolist(), strict=True)
    return lesson, [
        {"level": level, "subject_id": one, "day": day, "log_odds": odds} for one, day, odds in rows
    ]


def find_cases(
    con: duckdb.DuckDBPyConnection, level: Level, before: Mapping[str, date] | None, settings: Settings
) -> Found:
    """Findings with their evidence.

    Parameters
    ----------
    before : ids, each with the day before which it was seen; null is everything at its latest state
    """
    table = {Level.CAMPAIGN: "campaign", Level.ACCOUNT: "flagged_account"}[level]
    if before is None:
        ids = con.execute(f"SELECT DISTINCT {level}_id FROM night.{table}").fetchall()
        before = {one: FAR_AHEAD for (one,) in ids}
    asked = pa.table(
        {
            "subject_id": pa.array(list(before), pa.string()),
            "before": pa.array(list(before.values()), pa.date32()),
        }
    )
    with registered(con, "asked", asked):
        rows = fetch(con, statement(f"rerank/{level}s"))
    pieces, evidence = _weighed(rows) if level is Level.CAMPAIGN else _measured(rows, settings)
    days = rows["day"].to_pylist()
    return Found(
        rows["subject_id"].to_pylist(),
        days,
        rows["confidence"].to_pylist(),
        rerank.Cases(
            score=np.array(rows["score" if level is Level.CAMPAIGN else "flag_score"], np.float64),
            evidence=evidence,
            night=np.array([day.toordinal() for day in days], np.int64),
        ),
        pieces,
    )


def _weighed(rows: pa.Table) -> tuple[tuple[str, ...], Float64]:
    """Log-odds of every piece of evidence of campaigns, by its code; 0 where it was not weighed."""
    codes, starts = in_one_piece(rows["codes"]).flatten(), lists_of(rows["log_odds"])[1]
    names = sorted(set(codes.to_pylist()))
    evidence = np.zeros((len(rows), len(names)))
    column = np.array([names.index(code) for code in codes.to_pylist()], np.intp)
    np.add.at(
        evidence, (np.repeat(np.arange(len(rows)), np.diff(starts)), column), lists_of(rows["log_odds"])[0]
    )
    return tuple(names), evidence


def _measured(rows: pa.Table, settings: Settings) -> tuple[tuple[str, ...], Float64]:
    """Features of lone accounts, in their suspicious direction; NaN where unknown."""
    columns = columns_of(rows, settings.detection.leave_out)
    evidence = np.array([_directed(columns[feature.name], feature) for feature in MEASURED]).T
    return tuple(feature.name for feature in MEASURED), evidence.reshape(len(rows), len(MEASURED))


def _directed(values: Float64, feature: Feature) -> Float64:
    """A feature in steps of about one log-odds: counts by their logarithm, shares nearly so."""
    if feature.scale == "count":
        values = np.log1p(np.maximum(values, 0.0))
    elif feature.unit == "share":
        values = np.log1p(STEPS_PER_SHARE * np.maximum(values, 0.0))
    return -values if feature.suspicious == "low" else values


def _known(fact: Any) -> Any:
    return None if isinstance(fact, float) and np.isnan(fact) else fact
