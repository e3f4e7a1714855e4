"""Campaign kinds: operators who harvest through many accounts.

Here: the register of campaign kinds and what each does. The figures behind them (requests per account
and day, spreading, payments, move to a new model) are those of public reports.
Not here: which campaigns a world has (scenario).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.grammar import Rng
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.population import Crowd, Profile
from pipelines.simulate.rhythm import AWAKE, Arrivals, hours, singles
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts import Templates
from pipelines.simulate.traffic import Traffic

Ints = npt.NDArray[np.int64]


CampaignKind = Callable[[World, CampaignSpec, Rng], Group]

_SHARE_OF_TRACES = 0.64
"""Of the work of a synchronised campaign; the rest is rubric grading, the model used as a reward model."""


@dataclass(slots=True)
class Harvest:
    """What the campaign kinds share: accounts that join, fixed templates, some cover traffic."""

    world: World
    spec: CampaignSpec
    crowd: Crowd
    joins: Ints
    """Night (0-based) on which each account starts."""

    def active(self, number: int, share: float, rng: Rng) -> Ints:
        """Accounts at work on a night, in the order in which work is dealt to them."""
        at_work = (self.joins <= number) & (rng.random(len(self.crowd)) < share)
        return rng.permutation(np.flatnonzero(at_work))

    def traffic(
        self,
        arrivals: Arrivals,
        templates: Templates,
        which: Ints,
        rng: Rng,
        *,
        output_tokens: float,
        toolset: Ints | None = None,
    ) -> list[Traffic]:
        """Harvesting requests, a share of them replaced by small talk."""
        n = len(arrivals)
        cover = rng.random(n) < self.spec.cover
        harvest = templates.prompts(which[~cover], rng)
        talk = self.world.texts.conversation(
            "chat", np.ones(int(cover.sum()), bool), self.crowd.language[arrivals.account[cover]], rng
        )
        place = np.empty(n, np.int64)
        place[~cover] = np.arange(len(harvest))
        place[cover] = len(harvest) + np.arange(len(talk))
        texts = pa.concat_arrays([harvest.prompt.cast(pa.string()), talk.prompt.cast(pa.string())])
        systems = None
        if harvest.system is not None:
            nothing = pa.nulls(len(talk), pa.string())
            systems = pa.concat_arrays([harvest.system.cast(pa.string()), nothing]).take(pa.array(place))
        tools = None if toolset is None else np.where(cover, -1, toolset[arrivals.account])
        return [
            Traffic(
                arrivals=arrivals,
                prompt=texts.take(pa.array(place)),
                system=systems,
                toolset=tools,
                output_tokens=np.where(cover, 380.0, output_tokens),
                temperature=_jittered(self.crowd, arrivals, rng),
                n_turns=None if toolset is None else np.where(cover, 1, 2 * rng.geometric(0.3, n) - 1),
            )
        ]


def synchronised(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Reasoning traces and rubric grades from one work queue, dealt evenly around the clock.

    Accounts share payment instruments in groups. The load has its own pulse (a job starts, a job ends)
    and no day or night; whichever account rested longest gets the next item.
    """
    profile = Profile(
        kind=spec.kind,
        campaign=spec.name,
        age_days=(2, 60),
        clients=("sdk",),
        countries=("US", "SG", "JP", "HK", "TW", "DE", "GB", "KZ", "AE", "CA"),
        addresses=(1, 3),
        accounts_per_payment=6,
        plans=(("api", 0.75), ("plus", 0.25)),
        verified=0.3,
        system=0.15,
        temperatures=(0.7, 0.7, 0.7, 0.7, 1.0, None),
        max_tokens=(4_096, 4_096, 4_096, 8_192, None),
        sessions=0.3,
        moves=0.3,
    )
    harvest = _harvest(world, spec, profile, rng)
    traces = world.texts.templates("reasoning", 2, rng)
    grades = world.texts.templates("grading", 1, rng)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        accounts = harvest.active(number, 0.97, rng)
        n = round(len(accounts) * spec.requests_per_day * rng.normal(1.0, 0.03))
        if n <= 0:
            return []
        second = _pulse(n, rng)
        # Least recently used: work goes round, so loads differ by one request at most.
        arrivals = singles(np.resize(accounts, n), second)
        graded = arrivals.second % 10_800 > 10_800 * _SHARE_OF_TRACES
        parts = [(traces, ~graded, 900.0), (grades, graded, 260.0)]
        traffic: list[Traffic] = []
        for templates, mine, output_tokens in parts:
            part = _chosen(arrivals, mine)
            which = rng.integers(0, 2 if templates is traces else 1, len(part))
            traffic += harvest.traffic(part, templates, which, rng, output_tokens=output_tokens)
        return traffic

    return Group(harvest.crowd, day)


def low_and_wide(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """A few requests per account and day over many accounts; one fixed extraction instruction.

    Residential addresses and payments of their own, local day and night: only the text is shared.
    """
    profile = Profile(
        kind=spec.kind,
        campaign=spec.name,
        age_days=(1, 45),
        clients=("sdk", "web"),
        addresses=(1, 2),
        plans=(("plus", 0.7), ("api", 0.3)),
        verified=0.2,
        system=0.1,
        temperatures=(None, None, 0.6, 0.7, 1.0),
        max_tokens=(None, None, 2_048, 4_096, 8_192),
        sessions=0.5,
        moves=0.3,
    )
    harvest = _harvest(world, spec, profile, rng)
    instruction = world.texts.templates("extract", 1, rng)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        accounts = harvest.active(number, 0.9, rng)
        counts = np.zeros(len(harvest.crowd), np.int64)
        counts[accounts] = rng.poisson(spec.requests_per_day, len(accounts))
        owner = np.repeat(np.arange(len(counts)), counts)
        second = hours(len(owner), AWAKE + 2.0, harvest.crowd.utc_offset_h[owner], rng)
        arrivals = singles(owner, second)
        return harvest.traffic(
            arrivals, instruction, np.zeros(len(arrivals), np.int64), rng, output_tokens=800.0
        )

    return Group(harvest.crowd, day)


def pivot(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Tool-use and coding trajectories; within a day of a new model half of the work moves to it."""
    profile = Profile(
        kind=spec.kind,
        campaign=spec.name,
        age_days=(3, 80),
        clients=("sdk",),
        countries=("SG", "US", "HK", "JP", "TW", "DE", "FR", "GB"),
        addresses=(1, 4),
        accounts_per_payment=2,
        plans=(("api", 0.6), ("pro", 0.4)),
        verified=0.35,
        temperatures=(1.0, 1.0, 1.0, None, 0.8),
        max_tokens=(8_192, 8_192, 8_192, 16_384),
        sessions=0.4,
        moves=1.0,
        move_share=(0.44, 0.56),
        move_delay=(0, 0),
    )
    harvest = _harvest(world, spec, profile, rng)
    templates = world.texts.templates("trajectory", 2, rng)
    n_frameworks = len(load_catalog().frameworks)
    toolset = n_frameworks + (rng.random(len(harvest.crowd)) < 0.3).astype(np.int64)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        accounts = harvest.active(number, 0.95, rng)
        counts = np.zeros(len(harvest.crowd), np.int64)
        counts[accounts] = rng.poisson(spec.requests_per_day * rng.uniform(0.85, 1.15, len(accounts)))
        owner = np.repeat(np.arange(len(counts)), counts)
        arrivals = singles(owner, _shifts(len(owner), rng))
        which = (rng.random(len(arrivals)) < 0.4).astype(np.int64)
        return harvest.traffic(arrivals, templates, which, rng, output_tokens=1_100.0, toolset=toolset)

    return Group(harvest.crowd, day)


CAMPAIGNS: dict[str, CampaignKind] = {
    "synchronised": synchronised,
    "low_and_wide": low_and_wide,
    "pivot": pivot,
}


def _harvest(world: World, spec: CampaignSpec, profile: Profile, rng: Rng) -> Harvest:
    crowd = world.enrol(profile, spec.accounts, rng)
    # A few accounts are always added a night later: an operator's pool fills up.
    late = (rng.random(spec.accounts) < 0.08).astype(np.int64)
    return Harvest(world, spec, crowd, joins=spec.begins - 1 + late)


def _chosen(arrivals: Arrivals, mine: npt.NDArray[np.bool_]) -> Arrivals:
    return Arrivals(
        arrivals.account[mine], arrivals.second[mine], np.arange(int(mine.sum())), arrivals.turn[mine]
    )


def _jittered(crowd: Crowd, arrivals: Arrivals, rng: Rng) -> npt.NDArray[np.float64]:
    """Every fifth account varies its temperature from request to request."""
    usual = crowd.temperature[arrivals.account]
    varied = np.round(rng.uniform(0.5, 1.1, len(arrivals)), 1)
    return np.where(arrivals.account % 5 == 0, varied, usual)


def _pulse(n: int, rng: Rng) -> npt.NDArray[np.float64]:
    """Arrival times that follow jobs instead of clocks: ten-minute bins of uneven load, ascending."""
    load = rng.gamma(4.0, 1.0, 144)
    bins = rng.choice(144, n, p=load / load.sum())
    return np.sort((bins + rng.random(n)) * 600.0)


def _shifts(n: int, rng: Rng) -> npt.NDArray[np.float64]:
    """Two long shifts of one team, whatever country the accounts claim."""
    weights = np.array([1, 5, 6, 6, 5, 3, 5, 6, 6, 6, 5, 3, 2, 4, 5, 4, 2, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    return hours(n, weights, 0, rng)
