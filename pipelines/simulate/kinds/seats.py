"""enterprise_seats: many accounts of one company behind one payment.

Here: a law firm's offices, a consultancy on the road, a call centre in shifts. Not here: people on
accounts of their own (people).
"""

import numpy as np
import pyarrow as pa

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle, hours_around, own_days
from pipelines.simulate.kinds.networks import sit_together
from pipelines.simulate.kinds.paperwork import company, forget, newcomers, teams
from pipelines.simulate.kinds.speech import ask, talk
from pipelines.simulate.population import Crowd, Ints, Profile
from pipelines.simulate.rhythm import OFFICE, sittings
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_SEATS = (5, 45)


def law_firm(world: World, n: int, rng: Rng) -> Group:
    """One office, one address: long documents in, long answers out, at work until late."""
    crowd, firm = _company(world, "law_firm", n, rng, clients=("web",), use_cases=("legal work", "research"))
    sit_together(crowd, firm)
    late = own_days(OFFICE + hours_around(20.0, 2.0) * 3, n, rng, "office")
    answer = 620.0 * rng.lognormal(0.0, 0.3, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = 1.6 * crowd.zest * bustle(world, crowd, night.number, 0.12)
        arrivals = sittings(busy, 4.0, 120.0, crowd.utc_offset_h, rng, late)
        pages = rng.lognormal(8.2, 0.9, len(arrivals)).astype(np.int64)
        context = np.minimum(pages, 60_000) * (arrivals.turn > 0) + arrivals.turn * 600
        return [
            talk(
                world,
                crowd,
                arrivals,
                "work",
                rng,
                output_tokens=answer[arrivals.account],
                context_tokens=context,
            )
        ]

    return Group(crowd, day)


def consultancy(world: World, n: int, rng: Rng) -> Group:
    """One system prompt for the whole company, seats in hotels and at customers', projects in bursts."""
    crowd, firm = _company(
        world, "consultancy", n, rng, clients=("web", "phone", "sdk"), addresses=(3, 8), system=0.0
    )
    house_style = world.texts.personas(int(firm.max(initial=0)) + 1, rng).cast(pa.string())
    crowd.system = house_style.take(pa.array(firm))
    curve = own_days(OFFICE + hours_around(22.0, 1.5) * 4, n, rng, "office")
    project = rng.integers(0, 5, n)  # colleagues on one project are busy on the same nights

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        rush = np.where((night.number + project + firm) % 5 < 2, 2.2, 0.6)
        busy = 1.4 * rush * crowd.zest * bustle(world, crowd, night.number, 0.25)
        traffic = []
        for theme, share_of in (("work", 0.75), ("coding", 0.25)):
            arrivals = sittings(busy * share_of, 4.5, 90.0, crowd.utc_offset_h, rng, curve)
            hotel = project[arrivals.account] + night.number // 2
            traffic.append(talk(world, crowd, arrivals, theme, rng, address=hotel))
        return traffic

    return Group(crowd, day)


def call_centre(world: World, n: int, rng: Rng) -> Group:
    """Three shifts round the clock: the same macro around every caller's words, short answers, even loads."""
    crowd, firm = _company(
        world,
        "call_centre",
        n,
        rng,
        clients=("web",),
        temperatures=(0.2, None),
        max_tokens=(256, 512),
        system=0.0,
        use_cases=("customer service",),
    )
    sit_together(crowd, firm)
    macros = world.texts.templates("support", 2 * (int(firm.max(initial=0)) + 1), rng)
    shift = rng.integers(0, 3, n)
    off = rng.integers(0, 7, n)
    skill = rng.normal(1.0, 0.12, n).clip(0.6, 1.4)  # calls come from one queue: nobody has many more

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        at_work = (night.number + off) % 7 < 5
        clock = crowd.utc_offset_h - 8 * shift
        arrivals = sittings(np.where(at_work, 18.0 * skill, 0.0), 1.5, 60.0, clock, rng, _SHIFT)
        which = 2 * firm[arrivals.account] + (rng.random(len(arrivals)) < 0.35)
        return [ask(macros, which, arrivals, rng, output_tokens=70.0)]

    return Group(crowd, day)


def _company(
    world: World, generator: str, n: int, rng: Rng, *, system: float = 1.0, **more: object
) -> tuple[Crowd, Ints]:
    """Seats and the company of each: old contracts, some new seats, a few fields left empty."""
    profile = Profile(
        kind="enterprise_seats",
        generator=generator,
        plans=(("enterprise", 1.0),),
        verified=0.95,
        moves=0.5,
        system=system,
        age_days=(60, 1_100),
        **more,  # type: ignore[arg-type]
    )
    crowd = world.enrol(profile, n, rng)
    firm = teams(n, *_SEATS, rng)
    company(crowd, firm)
    newcomers(world, crowd, 0.15, (0.5, 25.0), rng)
    forget(crowd, "use_case", 0.2, rng)
    return crowd, firm


_SHIFT = np.where((np.arange(24) >= 6) & (np.arange(24) < 14), 1.0, 0.003)
"""The early shift by the local clock; the others are eight and sixteen hours later."""

ENTERPRISE_SEATS = {"law_firm": law_firm, "consultancy": consultancy, "call_centre": call_centre}
