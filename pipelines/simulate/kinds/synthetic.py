"""synthetic_data_customer: customers with a contract to make training data, on file with scope and date.

Here: own tickets varied, dialogues of personas, tests for own code, a contract that ends soon. They harvest
in every sense but the forbidden one; what clears them is `approved_use`, their own field, a stable account.
"""

import numpy as np
import pyarrow as pa

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle
from pipelines.simulate.kinds.paperwork import days_later, expire
from pipelines.simulate.kinds.speech import ask, talk
from pipelines.simulate.population import Crowd, Profile
from pipelines.simulate.rhythm import OFFICE, ROUND_THE_CLOCK, renewal, scattered, sittings
from pipelines.simulate.shapes import burstiness, daily_curves, day_levels, day_unrest
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_MOST = 1_500


def own_tickets(world: World, n: int, rng: Rng) -> Group:
    """A company varies its own tickets around the clock."""
    crowd = _customers(world, "own_tickets", n, rng)
    return _factory(world, crowd, 550.0, 600.0, rng)


def persona_dialogues(world: World, n: int, rng: Rng) -> Group:
    """Personas talk to each other over several turns, thousands of personas, each in a system prompt."""
    crowd = _customers(world, "persona_dialogues", n, rng, temperatures=(1.0, 1.1), sessions=0.3)
    n_personas = 400
    personas = world.texts.personas(n_personas, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = 70.0 * crowd.zest.clip(0.3, 2.5)
        arrivals = sittings(busy, 6.0, 8.0, crowd.utc_offset_h, rng, ROUND_THE_CLOCK)
        who = rng.integers(0, n_personas, int(arrivals.session.max(initial=-1)) + 1)[arrivals.session]
        return [
            talk(
                world,
                crowd,
                arrivals,
                "chat",
                rng,
                output_tokens=320.0,
                system=personas.take(pa.array(who)),
            )
        ]

    return Group(crowd, day)


def code_tests(world: World, n: int, rng: Rng) -> Group:
    """Tests written for a company's own code base, on working days, long answers."""
    crowd = _customers(
        world, "code_tests", n, rng, temperatures=(0.7, 0.8), max_tokens=(4_096, 8_192), thinking=(True, None)
    )

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = 260 * crowd.zest * bustle(world, crowd, night.number, 0.3)
        counts = np.minimum(rng.poisson(busy), _MOST)
        arrivals = scattered(counts, OFFICE + 1.0, crowd.utc_offset_h, rng)
        return [talk(world, crowd, arrivals, "test", rng, output_tokens=900.0)]

    return Group(crowd, day)


def contract_ending(world: World, n: int, rng: Rng) -> Group:
    """The contract ends within weeks, not yet: the customer hurries to use what is left of it."""
    crowd = _customers(world, "contract_ending", n, rng)
    expire(crowd, days_later(world.first_day, world.n_days + rng.integers(1, 21, n)))
    return _factory(world, crowd, 700.0, 700.0, rng, growth=0.06)


def _factory(
    world: World, crowd: Crowd, per_day: float, answer: float, rng: Rng, growth: float = 0.0
) -> Group:
    """A template, a pile of own seeds, all day and all night."""
    n = len(crowd)
    templates = world.texts.templates("synthetic", n, rng)
    curves, unrest, bursts = daily_curves(n, rng, "machine"), day_unrest(n, rng), burstiness(n, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = per_day * crowd.zest * (1.0 + growth * night.number) * day_levels(unrest, rng)
        counts = np.minimum(rng.poisson(busy), _MOST)
        arrivals = renewal(counts, curves, bursts, crowd.utc_offset_h, rng)
        return [ask(templates, arrivals.account, arrivals, rng, output_tokens=answer)]

    return Group(crowd, day)


def _customers(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    settings: dict[str, object] = {
        "age_days": (40, 800),
        "clients": ("sdk",),
        "network": "cloud",
        "plans": (("enterprise", 0.85), ("api", 0.15)),
        "verified": 0.95,
        "use_cases": ("synthetic data",),
        "approved_use": "synthetic_data",
        "temperatures": (1.0, 0.9),
        "sessions": 0.0,
        **more,
    }
    profile = Profile(kind="synthetic_data_customer", generator=generator, **settings)  # type: ignore[arg-type]
    return world.enrol(profile, n, rng)


SYNTHETIC_DATA_CUSTOMER = {
    "own_tickets": own_tickets,
    "persona_dialogues": persona_dialogues,
    "code_tests": code_tests,
    "contract_ending": contract_ending,
}
