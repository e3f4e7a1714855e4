"""agent_orchestration: one developer, many agents of their own over their own work.

Here: a code-audit swarm, a crew that plans, builds and reviews, a debate of researchers. High volume,
templated roles, judging and rubric steps: what people were wrongly banned for. Not here: users of one agent
(coding).
"""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import hours_around
from pipelines.simulate.kinds.speech import ask, talk
from pipelines.simulate.population import Crowd, Floats, Profile
from pipelines.simulate.rhythm import OFFICE, ROUND_THE_CLOCK, Arrivals, sittings
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Roles of one developer's agents and how their work flows."""

    jobs: float
    """Mean number of pieces of work a day: a file to audit, a feature, a question."""
    steps: float
    """Mean number of steps each worker makes on a piece."""
    workers: int
    """Agents that work on one piece at the same time."""
    judged: float
    """Share of steps that a judge then grades against a rubric."""
    theme: str
    """What the workers talk about."""
    answer: float
    curve: Floats
    toolset: int | None = None
    votes: int = -1
    """Samples a judge is asked for; -1 leaves it unset."""
    days_a_week: float = 6.0


def code_audit(world: World, n: int, rng: Rng) -> Group:
    """Auditors sweep a repository file by file, verifiers try to refute, a judge scores each finding."""
    crew = Crew(
        jobs=26.0,
        steps=5.0,
        workers=3,
        judged=0.3,
        theme="agent",
        answer=420.0,
        curve=OFFICE + hours_around(23.0, 3.0) * 8 + 1.0,
        toolset=3,
    )
    return _swarm(world, "code_audit", n, rng, crew)


def plan_build_review(world: World, n: int, rng: Rng) -> Group:
    """A lead plans, coders build in parallel, a reviewer grades every change against the house rubric."""
    crew = Crew(
        jobs=9.0,
        steps=12.0,
        workers=2,
        judged=0.18,
        theme="coding",
        answer=650.0,
        curve=OFFICE + 2.0,
        toolset=2,
        days_a_week=5.0,
    )
    return _swarm(world, "plan_build_review", n, rng, crew)


def research_debate(world: World, n: int, rng: Rng) -> Group:
    """Proposer, critic and referee go over one person's questions all night, several votes each."""
    crew = Crew(
        jobs=40.0,
        steps=2.5,
        workers=2,
        judged=0.5,
        theme="work",
        answer=800.0,
        curve=ROUND_THE_CLOCK,
        votes=3,
        days_a_week=4.0,
    )
    return _swarm(world, "research_debate", n, rng, crew)


def _swarm(world: World, generator: str, n: int, rng: Rng, crew: Crew) -> Group:
    crowd = _developers(world, generator, n, rng)
    n_roles = crew.workers + 1
    roles = world.texts.personas(n * n_roles, rng).cast(pa.string())
    rubric = world.texts.templates("regression", n, rng)
    rests = rng.random((7, n)) >= crew.days_a_week / 7

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        expected = np.where(rests[night.number % 7], 0.05, 1.0) * crew.jobs * crowd.zest
        jobs = sittings(expected, crew.steps, 14.0, crowd.utc_offset_h, rng, crew.curve)
        work = _in_parallel(jobs, crew.workers, rng)
        role = work.account * n_roles + work.session % crew.workers
        verdicts = _after(work, rng.random(len(work)) < crew.judged, rng)
        judge = verdicts.account * n_roles + crew.workers
        votes = np.full(len(verdicts), crew.votes, np.int64)
        tools = np.full(len(work), -1 if crew.toolset is None else crew.toolset, np.int64)
        return [
            talk(
                world,
                crowd,
                work,
                crew.theme,
                rng,
                system=roles.take(pa.array(role)),
                toolset=tools,
                output_tokens=crew.answer,
                context_tokens=np.minimum(2_500 + work.turn * 1_100, 120_000),
            ),
            ask(
                rubric,
                verdicts.account,
                verdicts,
                rng,
                system=roles.take(pa.array(judge)),
                output_tokens=160.0,
                n_choices=votes,
                temperature=np.zeros(len(verdicts)) if crew.votes < 0 else None,
            ),
        ]

    return Group(crowd, day)


def _developers(world: World, generator: str, n: int, rng: Rng) -> Crowd:
    profile = Profile(
        kind="agent_orchestration",
        generator=generator,
        age_days=(1, 500),
        clients=("sdk",),
        addresses=(1, 3),
        plans=(("api", 0.6), ("pro", 0.4)),
        verified=0.35,
        use_cases=("software", "research"),
        max_tokens=(4_096, 8_192, None),
        thinking=(True, True, None),
        sessions=0.5,
        moves=0.8,
    )
    return world.enrol(profile, n, rng)


def _in_parallel(jobs: Arrivals, workers: int, rng: Rng) -> Arrivals:
    """Every piece of work in the hands of several agents at once, a few seconds apart."""
    n = len(jobs)
    row = np.repeat(np.arange(n), workers)
    worker = np.tile(np.arange(workers), n)
    order = np.lexsort((jobs.turn[row], worker, jobs.session[row]))  # each agent's steps stay together
    row, worker = row[order], worker[order]
    late = rng.exponential(3.0, len(row))
    return Arrivals(
        jobs.account[row],
        np.minimum(jobs.second[row] + late, 86_399.0),
        jobs.session[row] * workers + worker,
        jobs.turn[row],
    )


def _after(work: Arrivals, chosen: np.ndarray, rng: Rng) -> Arrivals:
    """A judge's request soon after each chosen step, outside its conversation."""
    rows = np.flatnonzero(chosen)
    second = np.minimum(work.second[rows] + rng.lognormal(2.5, 0.5, len(rows)), 86_399.0)
    return replace(
        work,
        account=work.account[rows],
        second=second,
        session=np.arange(len(rows)),
        turn=np.zeros(len(rows), np.int64),
    )


AGENT_ORCHESTRATION = {
    "code_audit": code_audit,
    "plan_build_review": plan_build_review,
    "research_debate": research_debate,
}
