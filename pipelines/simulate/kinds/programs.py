"""Benign kinds where a program sends: applications, gateways, batches, approved data customers."""

import numpy as np
import pyarrow as pa

from pipelines.simulate.grammar import LANGUAGES, Rng
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.population import Profile
from pipelines.simulate.rhythm import AWAKE, ROUND_THE_CLOCK, run, scattered, sittings
from pipelines.simulate.traffic import Traffic

_API = (("api", 1.0),)


def single_purpose_app(world: World, n: int, rng: Rng) -> Group:
    """Applications with one template each and short, constrained answers; a few are big."""
    profile = Profile(
        kind="single_purpose_app",
        age_days=(30, 1_100),
        clients=("sdk",),
        network="cloud",
        addresses=(1, 3),
        plans=_API,
        verified=0.8,
        use_cases=("customer service", "classification", "routing"),
        temperatures=(0.0, 0.0, 0.2, None),
        max_tokens=(64, 128, 256, 256, 512),
        thinking=(None, False),
        sessions=0.1,
        moves=0.06,
    )
    crowd = world.enrol(profile, n, rng)
    templates = world.texts.templates("app", n, rng)
    size = rng.lognormal(4.0, 1.1, n)
    answer = rng.choice(np.array([6.0, 12.0, 40.0, 90.0]), n)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        counts = np.minimum(rng.poisson(size * world.bustle(number, 0.7)), 2_500)
        arrivals = scattered(counts, AWAKE + 0.5, crowd.utc_offset_h, rng)
        texts = templates.prompts(arrivals.account, rng)
        return [
            Traffic(
                arrivals=arrivals,
                prompt=texts.prompt,
                system=texts.system,
                output_tokens=answer[arrivals.account],
                end_user=rng.integers(0, 900, len(arrivals)),
                response_format="json_object",
            )
        ]

    return Group(crowd, day)


def batch_job(world: World, n: int, rng: Rng) -> Group:
    """One-off runs over a pile of documents: no ramp, full speed, then silence."""
    profile = Profile(
        kind="batch_job",
        age_days=(90, 1_100),
        clients=("sdk",),
        network="cloud",
        plans=_API,
        verified=0.9,
        use_cases=("search index", "migration"),
        temperatures=(0.0, None, 0.3),
        sessions=0.0,
        moves=0.0,
    )
    crowd = world.enrol(profile, n, rng)
    templates = world.texts.templates("batch", n, rng)
    when = rng.integers(0, world.n_days, n)
    size = np.minimum(rng.lognormal(6.6, 0.5, n), 4_000)
    start = rng.uniform(0, 60_000, n)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        counts = np.where(when == number, size, 0).astype(np.int64)
        arrivals = run(counts, start, np.maximum(size * 3.0, 1_800.0), rng)
        texts = templates.prompts(arrivals.account, rng)
        return [Traffic(arrivals=arrivals, prompt=texts.prompt, system=texts.system, output_tokens=140.0)]

    return Group(crowd, day)


def synthetic_data_customer(world: World, n: int, rng: Rng) -> Group:
    """Customers with a contract to make training data from their own field: template, volume, on record."""
    profile = Profile(
        kind="synthetic_data_customer",
        age_days=(120, 800),
        clients=("sdk",),
        network="cloud",
        plans=(("enterprise", 1.0),),
        verified=1.0,
        use_cases=("synthetic data",),
        approved_use="synthetic_data",
        temperatures=(1.0, 0.9),
        sessions=0.0,
    )
    crowd = world.enrol(profile, n, rng)
    templates = world.texts.templates("synthetic", n, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        counts = np.minimum(rng.poisson(550 * crowd.zest), 1_500)
        arrivals = scattered(counts, ROUND_THE_CLOCK, crowd.utc_offset_h, rng)
        texts = templates.prompts(arrivals.account, rng)
        return [Traffic(arrivals=arrivals, prompt=texts.prompt, system=texts.system, output_tokens=600.0)]

    return Group(crowd, day)


def gateway(world: World, n: int, rng: Rng) -> Group:
    """Contracted resellers: thousands of end users, all languages and themes, through one account."""
    profile = Profile(
        kind="gateway",
        age_days=(200, 1_000),
        clients=("sdk",),
        network="cloud",
        addresses=(1, 2),
        plans=(("enterprise", 1.0),),
        verified=1.0,
        use_cases=("gateway",),
        approved_use="reseller",
        moves=1.0,
        move_delay=(0, 1),
        sessions=1.0,
    )
    crowd = world.enrol(profile, n, rng)
    themes = ("chat", "work", "coding")

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        traffic = []
        for theme, sat in zip(themes, (190.0, 60.0, 60.0), strict=True):
            arrivals = sittings(
                np.full(n, sat * world.bustle(number, 0.85)),
                3.0,
                80.0,
                np.zeros(n, np.int64),
                rng,
                AWAKE + 3.0,
            )
            end_user = rng.zipf(1.6, int(arrivals.session.max()) + 1 if len(arrivals) else 0) % 4_000
            language = rng.integers(0, len(LANGUAGES), len(end_user))[arrivals.session]
            texts = world.texts.conversation(theme, arrivals.starts, language, rng)
            traffic.append(
                Traffic(
                    arrivals=arrivals,
                    prompt=texts.prompt,
                    system=_customer_systems(world, arrivals.session, rng),
                    end_user=end_user[arrivals.session],
                    temperature=rng.choice(np.array([np.nan, 0.7, 1.0, 0.2]), len(end_user))[
                        arrivals.session
                    ],
                )
            )
        return traffic

    return Group(crowd, day)


def _customer_systems(world: World, session: np.ndarray, rng: Rng) -> pa.Array:
    """System prompts of a gateway's customers: every second conversation brings one."""
    n = int(session.max()) + 1 if len(session) else 0
    personas = world.texts.personas(n, rng)
    has = rng.random(n) < 0.5
    return personas.take(pa.array(session, mask=~has[session] if len(session) else None))
