"""What past decisions are worth to the order of the review queue.

    python benchmarks/reranker.py [--services 4] [--reviewers 20] [--error 0.1] [--capacity 30]

makes and scans worlds of the `tune` split (kept in bench-data/reranker; minutes each, the first time), lets
simulated reviewers decide about the top of one queue over all of them, night after night, and prints how the
open cases of the next night stand: in plain order, as the console shows them (past decisions are used where
they have proved better), as they would stand if they were used unasked, within the bounds and without, and by
the other model that was tried. A reviewer knows the truth and errs with the stated chance. Two queues are
measured: what the policy published, and everything that was tested and is likelier a campaign than not, which
is what a much laxer policy would show.
"""

import argparse
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from detector import campaigns as detect
from detector.models import rerank
from detector.models.reorder import reordered, runs
from pipelines import nightly
from pipelines.settings import Settings
from pipelines.simulate import simulate
from pipelines.workspace import Workspace

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "bench-data" / "reranker"
FIRST_SEED = 901
N_NIGHTS = 8
QUIET_NIGHTS = 2
"""Before the first campaign begins: history to be judged by."""
AFTER = (1, 2, 3, 5)
"""Nights of decisions."""
TOPS = (10, 50)
ONE_CASE = 0.5
"""Of the accounts of a group: the same case as an earlier one, of which so many were in it."""

WORLD = f"""
base = "medium"
nights = {N_NIGHTS}
[benign]
person_chat = 5_000
power_user = 150
enterprise_seats = 300
classroom = 250
viral_prompt = 700
new_model_mover = 80
coding_agent = 500
agent_orchestration = 16
test_automation = 60
single_purpose_app = 220
batch_job = 32
synthetic_data_customer = 8
gateway = 10
shadow_api_user = 240
evaluation_harness = 24
regression_suite = 16
safety_research = 12
"""
KINDS = (
    "synchronised",
    "low_and_wide",
    "pivot",
    "multi_path",
    "weakness_driven",
    "multilingual",
    "trace_cleaning",
    "soft_labels",
)
HIDING = (
    "",
    '"throttling"',
    '"cover_traffic"',
    '"paraphrase"',
    '"residential", "day_night"',
    '"throttling", "cover_traffic"',
    '"rotation"',
    '"slots_in_middle", "cover_traffic", "throttling"',
)
SIZES = (15, 24, 40, 60)
N_CAMPAIGNS = 42

Order = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Group:
    """One tested group on one night, as a case of the queue."""

    night: int
    case: str
    """the same on every night that it is the same group"""
    guilty: bool
    score: float
    confidence: str
    published: bool
    pieces: dict[str, float]


@dataclass(slots=True)
class Reviewer:
    """Who works through the queue from the top, and what was decided so far."""

    rng: np.random.Generator
    error: float
    capacity: int
    decided: dict[str, tuple[Group, bool]] = field(default_factory=dict)

    def look_at(self, queue: Sequence[Group]) -> None:
        """Decide about the first open cases, in plain order."""
        for group in self.open(queue)[: self.capacity]:
            self.decided[group.case] = (group, group.guilty != (self.rng.random() < self.error))

    def open(self, queue: Sequence[Group]) -> list[Group]:
        """Cases of the queue nobody has decided about, most suspicious first."""
        return sorted(
            (group for group in queue if group.case not in self.decided), key=lambda g: (-g.score, g.case)
        )


# -- worlds ---------------------------------------------------------------------------------------


def campaigns() -> Iterator[str]:
    """Campaigns of all sizes, kinds and disguises, seven beginning each night after the quiet ones."""
    for at in range(N_CAMPAIGNS):
        kind, hiding = KINDS[at % len(KINDS)], HIDING[(3 * at + at // len(KINDS)) % len(HIDING)]
        rate = 5.6 if kind == "low_and_wide" else 14  # the lowest of the public record, and below its middle
        begins = 1 + QUIET_NIGHTS + at % (N_NIGHTS - QUIET_NIGHTS)
        yield (
            f'[[campaign]]\nname = "pool-{at:02}"\nkind = "{kind}"\naccounts = {SIZES[at % len(SIZES)]}\n'
            f"requests_per_day = {rate}\nbegins = {begins}\nevasions = [{hiding}]\n"
        )


def scanned(seed: int) -> Path:
    """The folder of a world that has been made and scanned, night by night, by the default policy."""
    place = KEPT / f"seed-{seed}"
    if (place / "done").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    scenario = place / "scenario.toml"
    scenario.write_text(WORLD + "".join(campaigns()), encoding="utf-8")
    simulate(place / "world", scenario=scenario, seed=seed, split="tune")
    workspace = Workspace(place / "watch").create()
    workspace.key_file.write_text("the key of a benchmark\n", encoding="utf-8")
    for night in sorted((place / "world" / "logs").glob("day=*")):
        nightly.scan(
            [str(night)], workspace, accounts=place / "world" / "accounts.parquet", settings=Settings()
        )
    shutil.rmtree(place / "world" / "logs")
    (place / "done").touch()
    return place


def groups_of(place: Path) -> list[Group]:
    """Every group that was tested and is likelier a campaign than not, night by night."""
    labels = pl.read_parquet(place / "world" / "labels.parquet")
    guilty = set(labels.filter(pl.col("label") == "campaign")["account_id"])
    with duckdb.connect(str(place / "watch" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.sql(statement_of_groups()).fetchall()
    policy = Settings().detection.policy()
    cases: dict[str, set[str]] = {}
    found = []
    for day, candidate, flagged, members, pieces in rows:
        evidence = [
            detect.Evidence(piece["family"], piece["code"], "", 0.0, "", piece["log_odds"])
            for piece in pieces
        ]
        [verdict] = detect.decide(
            [evidence], np.zeros(policy.least_reference), has_content=True, policy=policy
        )
        case = same_case(cases, set(members)) or f"{place.name}/{day}/{candidate}"
        cases[case] = cases.get(case, set()) | set(members)
        found.append(
            Group(
                night=day.toordinal(),
                case=case,
                guilty=sum(member in guilty for member in members) >= len(members) / 2,
                score=verdict.score,
                confidence=verdict.confidence,
                published=flagged,
                pieces={piece.code: piece.log_odds for piece in evidence},
            )
        )
    return found


def statement_of_groups() -> str:
    """Candidates with their members and evidence, those with log-odds of 0 and more."""
    return """
        WITH who AS (
            SELECT day, candidate_id, list(account_id ORDER BY account_id) AS members
            FROM night.candidate_account GROUP BY ALL
        ),
        why AS (
            SELECT day, candidate_id,
                   list({family: family, code: code, log_odds: log_odds} ORDER BY position) AS pieces
            FROM night.candidate_evidence GROUP BY ALL
        )
        SELECT day, candidate_id, flagged, members, pieces
        FROM night.candidate JOIN who USING (day, candidate_id) JOIN why USING (day, candidate_id)
        WHERE evidence >= 0
        ORDER BY day, evidence DESC, candidate_id"""


def same_case(cases: dict[str, set[str]], members: set[str]) -> str | None:
    """The case most of whose accounts these are, or that has most of these."""
    shares = {case: len(of_it & members) / min(len(of_it), len(members)) for case, of_it in cases.items()}
    best = max(shares, key=lambda case: (shares[case], case), default=None)
    return best if best is not None and shares[best] >= ONE_CASE else None


# -- orders ---------------------------------------------------------------------------------------


def as_cases(groups: Sequence[Group], codes: Sequence[str]) -> rerank.Cases:
    """Groups as the model reads them."""
    return rerank.Cases(
        score=np.array([group.score for group in groups]),
        evidence=np.array([[group.pieces.get(code, 0.0) for code in codes] for group in groups]),
        night=np.array([group.night for group in groups]),
    )


def boosted(
    cases: rerank.Cases, approved: npt.NDArray[np.bool_], tonight: rerank.Cases
) -> npt.NDArray[np.float64]:
    """What a monotone gradient boosting of the same columns says: the other model that was tried."""
    model = HistGradientBoostingClassifier(
        monotonic_cst=[1] * (1 + cases.evidence.shape[1]),
        max_iter=60,
        max_leaf_nodes=8,
        min_samples_leaf=5,
        class_weight="balanced",
        random_state=0,
    )
    model.fit(np.column_stack([cases.score, cases.evidence]), approved)
    said = model.decision_function(np.column_stack([tonight.score, tonight.evidence]))
    return np.asarray(said, np.float64)


def orders(reviewer: Reviewer, queue: Sequence[Group]) -> tuple[dict[str, Order], rerank.Lesson]:
    """Orders of the open cases: plain, as the console shows them, and what the models would do unasked."""
    taught = list(reviewer.decided.values())
    codes = sorted({code for group, _ in taught for code in group.pieces})
    decided, approved = (
        as_cases([group for group, _ in taught], codes),
        np.array([said for _, said in taught]),
    )
    tonight = as_cases(queue, codes)
    lesson = rerank.learn(decided, approved, [group.confidence for group, _ in taught])
    plain = np.arange(len(queue))
    bands = runs([group.confidence for group in queue])
    given = {"plain": plain, "console": plain, "bounded": plain, "model": plain, "boosting": plain}
    if approved.all() or not approved.any():
        return given, lesson
    log_odds = rerank.fitted(decided, approved).log_odds(tonight)
    given["bounded"] = reordered(bands, log_odds)
    given["model"] = np.argsort(-log_odds, kind="stable")
    given["boosting"] = np.argsort(-boosted(decided, approved, tonight), kind="stable")
    if lesson.weights is not None:
        given["console"] = given["bounded"]
    return given, lesson


# -- figures --------------------------------------------------------------------------------------


def measured(groups: Sequence[Group], reviewer: Reviewer) -> Iterator[dict[str, Any]]:
    """After each number of nights: how the next night's open cases stand."""
    nights = sorted({group.night for group in groups})[QUIET_NIGHTS:]
    for done, (tonight, following) in enumerate(pairwise(nights), 1):
        reviewer.look_at([group for group in groups if group.night == tonight])
        queue = reviewer.open([group for group in groups if group.night == following])
        if done not in AFTER or not queue:
            continue
        given, lesson = orders(reviewer, queue)
        guilty = np.array([group.guilty for group in queue])
        for name, order in given.items():
            yield {
                "after": done,
                "order": name,
                "decided": len(reviewer.decided),
                "open": len(queue),
                "chance": float(guilty.mean()),
                "used": float(lesson.standing is rerank.Standing.USED),
                **{f"top {top}": float(guilty[order[:top]].mean()) for top in TOPS},
                "pairs": in_order(guilty[order]),
            }


def in_order(guilty: npt.NDArray[np.bool_]) -> float | None:
    """Part of the pairs of a guilty and an innocent case in which the guilty one comes first."""
    pairs = int(guilty.sum()) * int((~guilty).sum())
    return float(np.cumsum(guilty)[~guilty].sum() / pairs) if pairs else None


def main() -> None:
    """Make what is missing, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--services", type=int, default=4)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--error", type=float, default=0.1)
    parser.add_argument("--capacity", type=int, default=30)
    asked = parser.parse_args()
    everything = [
        group for seed in range(FIRST_SEED, FIRST_SEED + asked.services) for group in groups_of(scanned(seed))
    ]
    queues = {
        "published": [group for group in everything if group.published],
        "likelier than not": everything,
    }
    for name, groups in queues.items():
        rows = [
            row
            for seed in range(asked.reviewers)
            for row in measured(groups, Reviewer(np.random.default_rng(seed), asked.error, asked.capacity))
        ]
        n_guilty = sum(group.guilty for group in groups)
        print(f"\n{name}: {len(groups)} cases a night over all, {n_guilty} of them campaigns; means of")
        print(f"{asked.reviewers} reviewers who err in {asked.error:.0%} and decide {asked.capacity} a night")
        table = (
            pl.DataFrame(rows, infer_schema_length=None)
            .group_by("after", "order", maintain_order=True)
            .mean()
        )
        with pl.Config(
            tbl_rows=-1, tbl_cols=-1, float_precision=3, tbl_hide_dataframe_shape=True, tbl_width_chars=140
        ):
            print(table)


if __name__ == "__main__":
    main()
