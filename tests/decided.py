"""Past campaigns and lone accounts with decisions about them: who shares a payment was approved.

Scores say nothing here, so the plain order is as good as chance, and whoever reads the evidence does better.
"""

from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np

from pipelines.cases import CaseStore, Level, Subject
from pipelines.publish import publish
from pipelines.reranking import learn_order
from pipelines.settings import Settings
from pipelines.workspace import Workspace
from tests.story import THIRD, add

LONG_AGO = date(2025, 5, 20)
N_NIGHTS = 6
EACH_NIGHT = 10


def given_decided_campaigns(
    con: duckdb.DuckDBPyConnection,
    store: CaseStore,
    *,
    n_nights: int = N_NIGHTS,
    telling: float = 3.0,
    until: datetime | None = None,
) -> list[str]:
    """Ten campaigns a night, half of them approved: those share a payment so much `telling` more."""
    rng = np.random.default_rng(5)
    ids = []
    for night, at in ((night, at) for night in range(n_nights) for at in range(EACH_NIGHT)):
        guilty, day = at % 2 == 0, LONG_AGO + timedelta(night)
        ids.append(f"past-{night}-{at}")
        add(
            con,
            "night.campaign",
            [campaign(ids[-1], day, float(rng.uniform(0.5, 0.7)), telling * guilty + float(rng.normal()))],
        )
        decided(store, Subject(Level.CAMPAIGN, ids[-1]), guilty=guilty, day=day, until=until)
    return ids


NEWS = {"new-a": (0.69, -2.0), "new-b": (0.6, 0.0), "new-c": (0.55, 2.0), "new-d": (0.51, 4.5)}
"""Undecided campaigns of the story's last night: scores fall as what people approved rises."""


def learned(workspace: Workspace) -> None:
    """The story with its decided campaigns and NEWS, learned from and published."""
    with duckdb.connect(workspace.warehouse) as con, CaseStore.open(workspace.cases_url) as store:
        given_decided_campaigns(con, store, until=datetime(2100, 1, 1, tzinfo=UTC))
        add(con, "night.campaign", [campaign(name, THIRD, *said) for name, said in NEWS.items()])
        learn_order(con, workspace, Settings())
        publish(con, workspace)


def campaign(
    name: str, day: date, score: float, payment: float, confidence: str = "low"
) -> dict[str, object]:
    """A row of night.campaign with two pieces of evidence."""
    moment = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001  the warehouse keeps UTC without a zone
    return {
        "day": day,
        "campaign_id": name,
        "score": score,
        "p_value": 0.01,
        "confidence": confidence,
        "recommended_action": "watch",
        "n_accounts": 7,
        "first_seen": moment,
        "last_seen": moment,
        "capabilities": [{"name": "coding", "share": 1.0}],
        "techniques": [{"name": "none", "share": 1.0}],
        "profile": "harvest of coding",
        "links": [],
        "evidence": [
            _piece("identity", "SHARED_PAYMENT", payment),
            _piece("content", "SHARED_TEMPLATE", 1.0),
        ],
        "summary": "Seven accounts.",
        "status": "new",
        "families": [],
    }


def lone(name: str, day: date, score: float, n_requests: int) -> tuple[dict[str, object], dict[str, object]]:
    """Rows of night.flagged_account and night.account_day of a lone account."""
    moment = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001
    whose = {"day": day, "account_id": name}
    flag = {
        "score": score,
        "p_value": 0.01,
        "confidence": "low",
        "recommended_action": "watch",
        "reasons": [],
        "first_seen": moment,
        "last_seen": moment,
        "n_requests": n_requests,
    }
    return whose | flag, whose | {
        "n_requests": n_requests,
        "first_sent_at": moment,
        "last_sent_at": moment,
        "hour_counts": [0] * 24,
    }


def decided(
    store: CaseStore, subject: Subject, *, guilty: bool, day: date, until: datetime | None = None
) -> None:
    """Approved or dismissed on the morning after."""
    store.record(
        subject,
        "approve" if guilty else "dismiss",
        action="limit" if guilty else None,
        reason="as it was seen",
        by="kim",
        expires_at=until,
        at=datetime(day.year, day.month, day.day, 9, tzinfo=UTC) + timedelta(1),
    )


def _piece(family: str, code: str, log_odds: float) -> dict[str, object]:
    return {
        "family": family,
        "code": code,
        "detail": "as drawn",
        "value": 1.0,
        "usual_range": "0",
        "log_odds": log_odds,
    }
