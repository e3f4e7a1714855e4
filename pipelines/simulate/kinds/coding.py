"""coding_agent: developers with popular agent frameworks, whose system prompts and tools thousands share.

Here: terminal sessions, pairing in an editor, plan-and-act loops. Not here: a developer's own swarm
(orchestration), test suites (testing).
"""

import numpy as np
import pyarrow as pa

from pipelines.simulate.catalog import load_catalog, shares
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle, hours_around, own_days
from pipelines.simulate.kinds.speech import talk
from pipelines.simulate.population import Crowd, Profile
from pipelines.simulate.rhythm import OFFICE, sittings
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_LAST_CONTEXT = 160_000


def equip(crowd: Crowd, rng: Rng, names: tuple[str, ...] = ()) -> None:
    """Give every account one of the named frameworks (all without names): its prompt, tools and client."""
    catalog = load_catalog()
    weights = [f["weight"] * (not names or f["name"] in names) for f in catalog.frameworks]
    framework = rng.choice(len(weights), len(crowd), p=shares(weights)).astype(np.int64)
    crowd.system = pa.array([f["system"] for f in catalog.frameworks], pa.string()).take(pa.array(framework))
    crowd.toolset = framework
    crowd.client = len(catalog.clients) + framework


def terminal_sessions(world: World, n: int, rng: Rng) -> Group:
    """An order, then a dozen steps of reading, patching, running; into the evening."""
    crowd = _developers(world, "terminal_sessions", n, rng)
    equip(crowd, rng, ("opencrane", "gantry"))
    hours = own_days(OFFICE + hours_around(22.0, 2.5) * 6 + 0.6, n, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = 1.3 * crowd.zest * bustle(world, crowd, night.number, 0.45)
        arrivals = sittings(busy, 15.0, 22.0, crowd.utc_offset_h, rng, hours)
        context = np.minimum(arrivals.turn * 900 + 2_000, _LAST_CONTEXT)
        return [
            talk(
                world,
                crowd,
                arrivals,
                "agent",
                rng,
                output_tokens=260.0,
                context_tokens=context,
                refused=0.001,
            )
        ]

    return Group(crowd, day)


def editor_pairing(world: World, n: int, rng: Rng) -> Group:
    """Short questions beside an open file, many times a day, office hours."""
    crowd = _developers(
        world, "editor_pairing", n, rng, max_tokens=(2_048, 4_096, 8_192), thinking=(None, None, False)
    )
    equip(crowd, rng, ("pairloop", "quillet"))
    hours = own_days(OFFICE, n, rng, "office")

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = 4.5 * crowd.zest * bustle(world, crowd, night.number, 0.25)
        arrivals = sittings(busy, 3.0, 45.0, crowd.utc_offset_h, rng, hours)
        open_file = rng.lognormal(7.3, 0.7, len(arrivals)).astype(np.int64)
        return [
            talk(
                world,
                crowd,
                arrivals,
                "coding",
                rng,
                output_tokens=180.0,
                context_tokens=np.minimum(open_file, 30_000) + arrivals.turn * 350,
                stream=np.ones(len(arrivals), np.int64),
                refused=0.001,
            )
        ]

    return Group(crowd, day)


def plan_and_act(world: World, n: int, rng: Rng) -> Group:
    """One goal, then the loop works alone: plan, tool, result, tool, a hundred steps, some left overnight."""
    crowd = _developers(
        world,
        "plan_and_act",
        n,
        rng,
        plans=(("api", 0.6), ("pro", 0.4)),
        temperatures=(0.0, 0.0, None, 1.0),
        thinking=(True, True, None),
        network="home",
    )
    equip(crowd, rng, ("gantry", "mortar", "opencrane"))
    starts = own_days(OFFICE + hours_around(23.5, 1.5) * 5, n, rng)  # the last one before bed runs on its own

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = 0.55 * crowd.zest * bustle(world, crowd, night.number, 0.5)
        arrivals = sittings(busy, 45.0, 9.0, crowd.utc_offset_h, rng, starts)
        plans = arrivals.turn % 12 == 0
        context = np.minimum(arrivals.turn * 1_300 + 3_000, _LAST_CONTEXT)
        return [
            talk(
                world,
                crowd,
                arrivals,
                "agent",
                rng,
                output_tokens=np.where(plans, 700.0, 130.0),
                context_tokens=context,
                refused=0.001,
            )
        ]

    return Group(crowd, day)


def _developers(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    settings: dict[str, object] = {
        "age_days": (2, 700),
        "plans": (("plus", 0.3), ("pro", 0.4), ("api", 0.3)),
        "max_tokens": (8_192, 8_192, 16_384, 32_000, None),
        "temperatures": (None, None, None, 0.0, 0.2, 1.0),
        "thinking": (True, True, None),
        "moves": 0.7,
        **more,
    }
    profile = Profile(kind="coding_agent", generator=generator, **settings)  # type: ignore[arg-type]
    return world.enrol(profile, n, rng)


CODING_AGENT = {
    "terminal_sessions": terminal_sessions,
    "editor_pairing": editor_pairing,
    "plan_and_act": plan_and_act,
}
