"""batch_job: runs over a pile of documents at full speed, then silence.

Here: an index filled anew, a migration of some nights, small nightly batches, an archive shared by many
worker keys, a catalogue translated. Not here: what answers customers (apps).
"""

import numpy as np

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.paperwork import company, newcomers, share, teams
from pipelines.simulate.kinds.speech import ask
from pipelines.simulate.population import Crowd, Ints, Profile
from pipelines.simulate.rhythm import Arrivals, run
from pipelines.simulate.shapes import day_levels, day_unrest
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


def rag_backfill(world: World, n: int, rng: Rng) -> Group:
    """An old customer fills a search index: one night, no ramp, one key, then nothing."""
    crowd = _customers(world, "rag_backfill", n, rng, use_cases=("search index",))
    templates = world.texts.templates("batch", n, rng)
    when = rng.integers(0, world.n_days, n)
    size = np.minimum(rng.lognormal(6.8, 0.5, n), 4_000).astype(np.int64)
    start = rng.uniform(0, 55_000, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        counts = np.where(when == night.number, size, 0)
        arrivals = run(counts, start, np.maximum(size * 3.0, 1_800.0), rng)
        return [ask(templates, arrivals.account, arrivals, rng, output_tokens=120.0)]

    return Group(crowd, day)


def migration(world: World, n: int, rng: Rng) -> Group:
    """Two to five nights in a row until everything is converted: long answers, the last night shorter."""
    crowd = _customers(
        world, "migration", n, rng, use_cases=("migration",), max_tokens=(2_048, 4_096), moves=0.2
    )
    templates = world.texts.templates("batch", n, rng)
    nights = rng.integers(2, 6, n)
    begins = rng.integers(-1, max(1, world.n_days - 1), n)
    size = np.minimum(rng.lognormal(6.3, 0.5, n), 2_500)
    last = rng.uniform(0.1, 0.9, n)
    start = rng.uniform(0, 40_000, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        nth = night.number - begins
        runs = (nth >= 0) & (nth < nights)
        part = np.where(nth == nights - 1, last, 1.0)
        counts = np.where(runs, size * part, 0.0).astype(np.int64)
        counts = np.where(runs, size * part, 0.0).astype(np.int64)
        arrivals = run(counts, start, np.maximum(counts * 12.0, 1_800.0), rng)
        return [ask(templates, arrivals.account, arrivals, rng, output_tokens=650.0)]

    return Group(crowd, day)


def nightly_batch(world: World, n: int, rng: Rng) -> Group:
    """Yesterday's reports summed up at the same hour every night: a timetable without an end."""
    crowd = _customers(world, "nightly_batch", n, rng, use_cases=("reporting",), verified=0.7)
    templates = world.texts.templates("batch", n, rng)
    size = np.minimum(rng.lognormal(4.8, 0.7, n), 900)
    unrest = 0.5 * day_unrest(n, rng)  # reports are written every day
    start = np.asarray(rng.integers(0, 80, n) * 900.0, np.float64)  # schedulers offer quarters of an hour

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = size * world.bustle(night.number, 0.35) * day_levels(unrest, rng)
        counts = rng.poisson(busy)
        arrivals = run(counts, start, np.asarray(60.0 + counts * 1.5), rng)
        return [ask(templates, arrivals.account, arrivals, rng, output_tokens=150.0)]

    return Group(crowd, day)


def archive_workers(world: World, n: int, rng: Rng) -> Group:
    """Many worker keys of one organisation label an archive: one queue dealt evenly, new keys, one bill."""
    crowd = _customers(
        world,
        "archive_workers",
        n,
        rng,
        temperatures=(0.0,),
        max_tokens=(16, 32),
        thinking=(False,),
        use_cases=("classification",),
    )
    team = teams(n, 4, 40, rng)
    company(crowd, team)
    share(crowd, team, "plan", "verified", "use_case")
    newcomers(world, crowd, 0.8, (0.1, 6.0), rng)  # keys made for the job
    n_teams = int(team.max(initial=0)) + 1
    templates = world.texts.templates("app", n_teams, rng)
    per_key = np.minimum(rng.lognormal(5.2, 0.5, n_teams), 700)[team]
    begins = rng.integers(0, max(1, world.n_days - 2), n_teams)[team]
    nights = rng.integers(1, 5, n_teams)[team]
    start = rng.uniform(0, 30_000, n_teams)[team]

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        nth = night.number - begins
        counts = np.where((nth >= 0) & (nth < nights), per_key + rng.integers(0, 2, n), 0).astype(np.int64)
        arrivals = run(counts, start, np.maximum(counts * 40.0, 1_800.0), rng)
        return [
            ask(
                templates,
                team[arrivals.account],
                arrivals,
                rng,
                output_tokens=7.0,
                response_format="json_object",
            )
        ]

    return Group(crowd, day)


def translation_batch(world: World, n: int, rng: Rng) -> Group:
    """A shop's catalogue into six languages before a season: the same item again in each of them."""
    crowd = _customers(
        world,
        "translation_batch",
        n,
        rng,
        temperatures=(0.2, 0.3),
        max_tokens=(1_024, 2_048),
        use_cases=("translation",),
        verified=0.8,
    )
    languages = 6
    templates = world.texts.templates("translation_job", n * languages, rng)
    when = rng.integers(0, world.n_days, n)
    items = np.minimum(rng.lognormal(4.8, 0.5, n), 500).astype(np.int64)
    start = rng.uniform(0, 50_000, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        rounds = np.where(when == night.number, items * languages, 0)
        arrivals = run(rounds, start, np.maximum(rounds * 6.0, 1_800.0), rng)
        which = arrivals.account * languages + _nth(arrivals) % languages
        return [ask(templates, which, arrivals, rng, output_tokens=260.0)]

    return Group(crowd, day)


def _nth(arrivals: Arrivals) -> Ints:
    """Place of each request within its account."""
    counts = np.bincount(arrivals.account)
    return np.arange(len(arrivals)) - (np.cumsum(counts) - counts)[arrivals.account]


def _customers(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    """Old customers, a few with a key made for the job."""
    settings: dict[str, object] = {
        "age_days": (90, 1_100),
        "clients": ("sdk",),
        "network": "cloud",
        "plans": (("api", 0.7), ("enterprise", 0.3)),
        "verified": 0.85,
        "temperatures": (0.0, None, 0.3),
        "sessions": 0.0,
        "moves": 0.05,
        **more,
    }
    profile = Profile(kind="batch_job", generator=generator, **settings)  # type: ignore[arg-type]
    crowd = world.enrol(profile, n, rng)
    newcomers(world, crowd, 0.2, (0.1, 10.0), rng)
    return crowd


BATCH_JOB = {
    "rag_backfill": rag_backfill,
    "migration": migration,
    "nightly_batch": nightly_batch,
    "archive_workers": archive_workers,
    "translation_batch": translation_batch,
}
