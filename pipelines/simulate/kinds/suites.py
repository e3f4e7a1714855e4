"""Benign kinds that look most like harvesting: evaluations, release checks, safety research."""

import numpy as np

from pipelines.simulate.grammar import Rng
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.population import Profile
from pipelines.simulate.rhythm import OFFICE, run, scattered
from pipelines.simulate.texts import Prompts
from pipelines.simulate.traffic import Traffic

_BENCHMARKS = ("benchmark_math", "benchmark_judge", "benchmark_code")
_BENCHMARK_ITEMS = 400


def evaluation_harness(world: World, n: int, rng: Rng) -> Group:
    """Several labs run the same public benchmarks in the same days, at temperature 0, once through."""
    profile = Profile(
        kind="evaluation_harness",
        age_days=(60, 900),
        clients=("sdk",),
        network="cloud",
        plans=(("api", 0.7), ("education", 0.3)),
        verified=0.8,
        use_cases=("evaluation", "research"),
        temperatures=(0.0,),
        max_tokens=(256, 512, 1_024, 2_048),
        thinking=(None,),
        sessions=0.0,
        moves=1.0,
        move_share=(0.9, 1.0),
        move_delay=(0, 1),
    )
    crowd = world.enrol(profile, n, rng)
    # The stream of the items knows nothing of the labs: everybody runs the very same benchmark.
    benchmarks = [
        world.texts.fixed(theme, _BENCHMARK_ITEMS, world.rng("benchmark", theme)) for theme in _BENCHMARKS
    ]
    tasks = [(lab, k) for lab in range(n) for k in range(len(_BENCHMARKS)) if (lab + k) % 3 != 2 or lab == 0]
    when = rng.integers(0, world.n_days, len(tasks))
    start = rng.uniform(0, 55_000, n)
    pace = rng.uniform(4.0, 40.0, n)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        traffic = []
        for (lab, k), on in zip(tasks, when.tolist(), strict=True):
            if on != number:
                continue
            items = benchmarks[k]
            arrivals = run(_only(n, lab, len(items)), start, np.full(n, len(items) * pace[lab]), rng)
            texts = items.take(np.arange(len(arrivals)))
            traffic.append(
                Traffic(arrivals=arrivals, prompt=texts.prompt, system=texts.system, output_tokens=160.0)
            )
        return traffic

    return Group(crowd, day)


def regression_suite(world: World, n: int, rng: Rng) -> Group:
    """An organisation grades its own assistant before each release: the same items every night."""
    profile = Profile(
        kind="regression_suite",
        age_days=(200, 1_000),
        clients=("ci",),
        network="cloud",
        org_size=2,
        plans=(("enterprise", 1.0),),
        verified=1.0,
        use_cases=("quality assurance",),
        temperatures=(0.0,),
        max_tokens=(512,),
        thinking=(None,),
        sessions=0.0,
        moves=1.0,
        move_share=(0.5, 0.5),
    )
    crowd = world.enrol(profile, n, rng)
    suites = [world.texts.fixed("regression", 220, world.rng("regression", org)) for org in range(-(-n // 2))]

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        traffic = []
        for account in range(n):
            suite = suites[account // 2]
            half = np.arange(account % 2, len(suite), 2)
            arrivals = run(_only(n, account, len(half)), np.full(n, 7_200.0), np.full(n, 2_400.0), rng)
            texts: Prompts = suite.take(half[: len(arrivals)])
            traffic.append(
                Traffic(
                    arrivals=arrivals,
                    prompt=texts.prompt,
                    system=texts.system,
                    output_tokens=45.0,
                    response_format="json_object",
                )
            )
        return traffic

    return Group(crowd, day)


def safety_research(world: World, n: int, rng: Rng) -> Group:
    """Enrolled red-teamers: extraction phrases in many variants, most of them refused."""
    profile = Profile(
        kind="safety_research",
        age_days=(100, 700),
        clients=("sdk",),
        plans=(("api", 1.0),),
        verified=1.0,
        use_cases=("safety research",),
        approved_use="safety_research",
        temperatures=(1.0, 0.7, 0.0),
        sessions=0.2,
    )
    crowd = world.enrol(profile, n, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        counts = rng.poisson(110 * crowd.zest)
        arrivals = scattered(counts, OFFICE, crowd.utc_offset_h, rng)
        tricks = world.texts.templates("probe", 60, rng)
        texts = tricks.prompts(rng.integers(0, 60, len(arrivals)), rng)
        return [Traffic(arrivals=arrivals, prompt=texts.prompt, output_tokens=200.0, refused=0.55)]

    return Group(crowd, day)


def _only(n: int, account: int, count: int) -> np.ndarray:
    counts = np.zeros(n, np.int64)
    counts[account] = count
    return counts
