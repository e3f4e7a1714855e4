"""power_user: the few who live in the product, each in a way that trips a rule.

Here: round the clock on many devices, a researcher's scripts, very long sessions, one login for a family.
Not here: ordinary people (people).
"""

import numpy as np

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle, hours_around, own_days
from pipelines.simulate.kinds.crowds import on_behalf
from pipelines.simulate.kinds.paperwork import only
from pipelines.simulate.kinds.speech import ask, own_words, talk
from pipelines.simulate.population import Ints, Profile
from pipelines.simulate.rhythm import OFFICE, run, sittings
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_DEVICES = 4


def round_the_clock(world: World, n: int, rng: Rng) -> Group:
    """Many long sittings, some at any hour, on a desktop, a laptop and a phone."""
    profile = Profile(
        kind="power_user",
        generator="round_the_clock",
        clients=("web", "phone", "sdk"),
        addresses=(2, 6),
        plans=(("plus", 0.5), ("pro", 0.4), ("api", 0.1)),
        system=0.3,
        moves=0.8,
    )
    crowd = world.enrol(profile, n, rng)
    devices = _devices(n, rng)
    awake = own_days(np.full(24, 3.0) + OFFICE * 0.4, n, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        traffic = []
        for theme, sat in (("chat", 4.5), ("work", 1.5), ("coding", 1.5)):
            arrivals = sittings(sat * crowd.zest, 8.0, 60.0, crowd.utc_offset_h, rng, awake)
            traffic.append(
                talk(
                    world,
                    crowd,
                    arrivals,
                    theme,
                    rng,
                    output_tokens=520.0,
                    client=devices[arrivals.account, arrivals.session % _DEVICES],
                    address=arrivals.session % _DEVICES,  # a phone is on the road
                )
            )
        return traffic

    return Group(crowd, day)


def quant_researcher(world: World, n: int, rng: Rng) -> Group:
    """Chats by day; some evenings an own script reads hundreds of documents, sweeping the temperature."""
    profile = Profile(
        kind="power_user",
        generator="quant_researcher",
        clients=("sdk", "web"),
        addresses=(1, 3),
        plans=(("api", 0.6), ("pro", 0.4)),
        verified=0.6,
        use_cases=("research",),
        thinking=(None, True),
        moves=0.9,
    )
    crowd = world.enrol(profile, n, rng)
    readings, surveys = (world.texts.templates(theme, n, rng) for theme in ("batch", "survey"))
    size = np.minimum(rng.lognormal(5.0, 0.6, n), 900)
    sweep = np.array([0.0, 0.0, 0.3, 0.7, 1.0])
    runs_on = rng.random((7, n)) < 0.4  # by weekday: a habit, not an event

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        sat = sittings(2.0 * crowd.zest, 6.0, 90.0, crowd.utc_offset_h, rng, OFFICE)
        counts = np.where(runs_on[night.number % 7], rng.poisson(size), 0)
        start = ((19.0 - crowd.utc_offset_h) % 24) * 3_600 * rng.uniform(0.85, 1.0, n)
        reads = run(counts, start, counts * rng.uniform(2.0, 8.0, n), rng)
        asks = rng.random(len(reads)) < 0.3
        return [
            talk(world, crowd, sat, "coding", rng),
            *(
                ask(
                    script,
                    part.account,
                    part,
                    rng,
                    output_tokens=220.0,
                    temperature=rng.choice(sweep, len(part)),
                    session_logged=False,
                )
                for script, part in ((readings, only(reads, ~asks)), (surveys, only(reads, asks)))
            ),
        ]

    return Group(crowd, day)


def novelist(world: World, n: int, rng: Rng) -> Group:
    """One book, a few very long sessions a day: deep conversations, growing context, long answers."""
    profile = Profile(
        kind="power_user",
        generator="novelist",
        clients=("web", "sdk"),
        addresses=(1, 3),
        plans=(("pro", 0.6), ("plus", 0.4)),
        max_tokens=(4_096, 8_192, None),
        temperatures=(None, 1.0, 0.9),
        sessions=1.0,
        moves=0.5,
    )
    crowd = world.enrol(profile, n, rng)
    own_words(world, crowd, 0.9, rng)
    page = rng.lognormal(np.log(1_100), 0.3, n)
    curve = hours_around(10.0, 3.0) + hours_around(22.0, 2.5)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        arrivals = sittings(2.2 * crowd.zest, 32.0, 140.0, crowd.utc_offset_h, rng, curve)
        context = np.minimum(9_000 + arrivals.turn * 1_600, 150_000)
        return [
            talk(
                world,
                crowd,
                arrivals,
                "chat",
                rng,
                output_tokens=page[arrivals.account],
                context_tokens=context,
            )
        ]

    return Group(crowd, day)


def family_account(world: World, n: int, rng: Rng) -> Group:
    """One login for two to five people: several devices, hours and habits at once, homework beside work."""
    profile = Profile(
        kind="power_user",
        generator="family_account",
        addresses=(3, 7),
        plans=(("plus", 0.9), ("pro", 0.1)),
        moves=0.5,
    )
    crowd = world.enrol(profile, n, rng)
    size = rng.integers(2, 6, n)
    account = np.repeat(np.arange(n), size)
    device = _devices(len(account), rng)[:, 0]
    curves = (OFFICE, hours_around(16.5, 2.5), hours_around(21.0, 2.0), hours_around(8.0, 3.0))
    curve_of = rng.integers(0, len(curves), len(account))
    zest = 1.6 * rng.lognormal(-0.32, 0.8, len(account))
    clock = crowd.utc_offset_h[account]

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = zest * bustle(world, crowd, night.number, 1.3)[account]
        traffic = []
        for number, curve in enumerate(curves):
            people = sittings(np.where(curve_of == number, busy, 0.0), 4.0, 70.0, clock, rng, curve)
            theme = "work" if number == 0 else "chat"
            traffic.append(
                talk(world, crowd, on_behalf(people, account), theme, rng, client=device[people.account])
            )
        return traffic

    return Group(crowd, day)


def _devices(n: int, rng: Rng) -> Ints:
    """Catalog positions of the devices people own, shape (n, 4): some of them twice."""
    weights = load_catalog().client_weights(("web", "phone"))
    return rng.choice(len(weights), (n, _DEVICES), p=weights).astype(np.int64)


POWER_USER = {
    "round_the_clock": round_the_clock,
    "quant_researcher": quant_researcher,
    "novelist": novelist,
    "family_account": family_account,
}
