"""Benign kinds around code: coding agents and test automation."""

import numpy as np
import pyarrow as pa

from pipelines.simulate.catalog import load_catalog, shares
from pipelines.simulate.grammar import Rng
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.population import Profile
from pipelines.simulate.rhythm import OFFICE, ROUND_THE_CLOCK, scattered, sittings
from pipelines.simulate.traffic import Traffic


def coding_agent(world: World, n: int, rng: Rng) -> Group:
    """Developers with one of a few popular agent frameworks: same system prompt and tools, own work."""
    profile = Profile(
        kind="coding_agent",
        age_days=(2, 700),
        clients=("sdk",),
        plans=(("plus", 0.3), ("pro", 0.4), ("api", 0.3)),
        max_tokens=(8_192, 8_192, 16_384, 32_000, None),
        temperatures=(None, None, None, 0.0, 0.2, 1.0),
        thinking=(True, True, None),
        moves=0.7,
    )
    crowd = world.enrol(profile, n, rng)
    catalog = load_catalog()
    weights = shares([f["weight"] for f in catalog.frameworks])
    framework = rng.choice(len(weights), n, p=weights).astype(np.int64)
    crowd.system = pa.array([f["system"] for f in catalog.frameworks]).take(pa.array(framework))
    crowd.toolset = framework
    crowd.client = len(catalog.clients) + framework
    hours = OFFICE + 2.0

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        arrivals = sittings(
            1.3 * world.bustle(number, 0.45) * crowd.zest, 15.0, 22.0, crowd.utc_offset_h, rng, hours
        )
        texts = world.texts.conversation("agent", arrivals.starts, crowd.language[arrivals.account], rng)
        context = np.minimum(arrivals.turn * 900 + 2_000, 120_000)
        return [
            Traffic(
                arrivals=arrivals,
                prompt=texts.prompt,
                output_tokens=260.0,
                context_tokens=context,
                refused=0.001,
            )
        ]

    return Group(crowd, day)


def test_automation(world: World, n: int, rng: Rng) -> Group:
    """Test suites that call the API from short-lived runners: small prompts, often the same ones."""
    profile = Profile(
        kind="test_automation",
        age_days=(60, 900),
        clients=("ci", "sdk"),
        network="cloud",
        addresses=(8, 30),
        plans=(("api", 1.0),),
        verified=0.9,
        use_cases=("testing",),
        temperatures=(0.0, 0.0, None),
        sessions=0.0,
    )
    crowd = world.enrol(profile, n, rng)
    suites = [
        world.texts.conversation("test", np.ones(40, bool), np.zeros(40, np.int64), rng) for _ in range(n)
    ]

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        counts = rng.poisson(70 * world.bustle(number, 0.2) * crowd.zest)
        arrivals = scattered(counts, OFFICE + ROUND_THE_CLOCK, crowd.utc_offset_h, rng)
        case = rng.integers(0, 40, len(arrivals))
        texts = pa.concat_arrays([suite.prompt.cast(pa.string()) for suite in suites])
        return [
            Traffic(
                arrivals=arrivals,
                prompt=texts.take(pa.array(arrivals.account * 40 + case)),
                output_tokens=60.0,
            )
        ]

    return Group(crowd, day)
