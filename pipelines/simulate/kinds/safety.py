"""safety_research: enrolled red-teamers, whose requests are the very phrases of harvesters, mostly refused.

Here: sweeps of extraction tricks, jailbreak templates under mutation, a university group. Not here: an
operator's own probing (campaigns).
"""

import numpy as np
import pyarrow as pa

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle
from pipelines.simulate.kinds.networks import sit_together
from pipelines.simulate.kinds.paperwork import company, newcomers, teams, write
from pipelines.simulate.kinds.speech import ask
from pipelines.simulate.population import Crowd, Profile
from pipelines.simulate.rhythm import OFFICE, ROUND_THE_CLOCK, run, scattered
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


def probe_sweep(world: World, n: int, rng: Rng) -> Group:
    """Another trick with nearly every request, on working days; most are refused, nothing is scaled up."""
    crowd = _enrolled(world, "probe_sweep", n, rng)
    tricks = 60

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        counts = rng.poisson(110 * crowd.zest * bustle(world, crowd, night.number, 0.25))
        arrivals = scattered(counts, OFFICE, crowd.utc_offset_h, rng)
        probes = world.texts.templates("probe", tricks, rng)
        which = rng.integers(0, tricks, len(arrivals))
        return [ask(probes, which, arrivals, rng, output_tokens=200.0, refused=0.62)]

    return Group(crowd, day)


def jailbreak_fuzzing(world: World, n: int, rng: Rng) -> Group:
    """A fuzzer mutates a handful of seed templates for an hour or two at a time, day and night."""
    crowd = _enrolled(world, "jailbreak_fuzzing", n, rng, network="cloud", temperatures=(1.0, 0.0))
    seeds = 6
    templates = world.texts.templates("probe", n * seeds, rng)
    favourite = rng.dirichlet(np.ones(seeds), n).cumsum(axis=1)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        runs = rng.random(n) < 0.6
        counts = np.where(runs, np.minimum(rng.poisson(260 * crowd.zest), 1_200), 0)
        arrivals = run(counts, rng.uniform(0, 79_000, n), rng.uniform(2_400, 7_200, n), rng)
        seed = (
            (rng.random(len(arrivals))[:, None] > favourite[arrivals.account]).sum(axis=1).clip(0, seeds - 1)
        )
        which = arrivals.account * seeds + seed
        return [ask(templates, which, arrivals, rng, output_tokens=160.0, refused=0.8)]

    return Group(crowd, day)


def university_group(world: World, n: int, rng: Rng) -> Group:
    """A chair's members share phrases and scripts; the professor is enrolled, two students are not yet."""
    crowd = _enrolled(
        world,
        "university_group",
        n,
        rng,
        clients=("sdk", "web"),
        plans=(("education", 0.8), ("api", 0.2)),
        verified=0.8,
    )
    chair = teams(n, 3, 8, rng)
    company(crowd, chair)
    sit_together(crowd, chair)
    newcomers(world, crowd, 0.4, (1.0, 40.0), rng)
    leads = np.diff(chair, prepend=-1) > 0
    not_yet = pa.array(np.arange(n), mask=(rng.random(n) < 0.2) & ~leads)
    for name in ("approved_use", "approved_until"):
        write(crowd, name, crowd.accounts[name].combine_chunks().take(not_yet))
    shared = 5
    phrases = world.texts.templates("probe", shared * (int(chair.max(initial=0)) + 1), rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        counts = rng.poisson(35 * crowd.zest * bustle(world, crowd, night.number, 0.2))
        arrivals = scattered(counts, OFFICE + ROUND_THE_CLOCK * 0.3, crowd.utc_offset_h, rng)
        which = chair[arrivals.account] * shared + rng.integers(0, shared, len(arrivals))
        return [ask(phrases, which, arrivals, rng, output_tokens=220.0, refused=0.45)]

    return Group(crowd, day)


def _enrolled(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    settings: dict[str, object] = {
        "age_days": (30, 700),
        "clients": ("sdk",),
        "plans": (("api", 0.8), ("education", 0.2)),
        "verified": 1.0,
        "use_cases": ("safety research",),
        "approved_use": "safety_research",
        "temperatures": (1.0, 0.7, 0.0),
        "sessions": 0.2,
        **more,
    }
    profile = Profile(kind="safety_research", generator=generator, **settings)  # type: ignore[arg-type]
    return world.enrol(profile, n, rng)


SAFETY_RESEARCH = {
    "probe_sweep": probe_sweep,
    "jailbreak_fuzzing": jailbreak_fuzzing,
    "university_group": university_group,
}
