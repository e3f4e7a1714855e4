"""regression_suite: an organisation grades its own assistant, with the same items every time.

Here: a rubric every night, a gate before each release, a search for the prompt change that broke something.
Not here: public benchmarks (harnesses), tests that grade nothing (testing).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.paperwork import company, newcomers, teams
from pipelines.simulate.kinds.speech import bound, recite
from pipelines.simulate.population import Crowd, Ints, Profile
from pipelines.simulate.rhythm import Arrivals, run
from pipelines.simulate.texts import Prompts
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


def nightly_rubric(world: World, n: int, rng: Rng) -> Group:
    """The same two hundred answers graded at the same hour every night, two keys sharing the work."""
    crowd, org = _companies(world, "nightly_rubric", n, 2, rng)
    items = 220
    suite = _suites(world, org, items, rng)
    keys = np.bincount(org)
    place = np.arange(n) - (np.cumsum(keys) - keys)[org]
    share = (items - place + keys[org] - 1) // keys[org]  # items place, place + keys, ...
    start = np.asarray(rng.integers(0, 20, len(keys))[org] * 3_600.0 + 600.0, np.float64)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        arrivals = run(share.astype(np.int64), start, np.full(n, 2_400.0), rng)
        at = arrivals.account
        item = org[at] * items + place[at] + keys[org[at]] * _nth(arrivals)
        return [_graded(suite, item, arrivals)]

    return Group(crowd, day)


def release_gate(world: World, n: int, rng: Rng) -> Group:
    """Twice a week, before a release: the same items on two models side by side, and some once more."""
    crowd, org = _companies(world, "release_gate", n, 1, rng)
    items = 160
    suite = _suites(world, org, items, rng, "own_evaluation")
    first_weekday = rng.integers(0, 3, n)  # and three days later
    start = rng.uniform(25_000, 60_000, n)
    other = np.where(crowd.model > 0, crowd.model - 1, crowd.model + 1)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        weekday = night.number % 7
        gate = (weekday == first_weekday) | (weekday == first_weekday + 3)
        looks_again = rng.integers(0, items // 4, n)
        counts = np.where(gate, 2 * items + looks_again, 0).astype(np.int64)
        arrivals = run(counts, start, np.full(n, 3_000.0), rng)
        nth, at = _nth(arrivals), arrivals.account
        model = np.where(nth % 2 == 0, -1, other[at])
        again = nth >= 2 * items
        item = at * items + np.where(again, (nth * 37) % items, nth // 2)
        return [_graded(suite, item, arrivals, model=np.where(again, -1, model))]

    return Group(crowd, day)


def prompt_bisection(world: World, n: int, rng: Rng) -> Group:
    """A bad change is hunted through versions of a system prompt: the same failing items, again and again."""
    crowd, org = _companies(world, "prompt_bisection", n, 1, rng)
    items, versions = 60, 16
    suite = _suites(world, org, items, rng)
    prompts = _versions(world, n, versions, rng)
    hunts = rng.random((14, n)) < 0.35
    start = rng.uniform(30_000, 55_000, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        tries = np.where(hunts[night.number % 14], 4 + rng.integers(0, 3, n), 1)  # one try is the usual watch
        arrivals = run((tries * items).astype(np.int64), start, tries * 1_500.0, rng)
        nth, at = _nth(arrivals), arrivals.account
        # Halving: every try looks at the middle of what is left of the sixteen versions.
        culprit = rng.integers(0, versions, n)
        version = _bisected(culprit, versions, 7)[at, nth // items]
        return [
            _graded(
                suite,
                at * items + nth % items,
                arrivals,
                system=prompts.take(pa.array(at * versions + version)),
            )
        ]

    return Group(crowd, day)


def _bisected(culprit: Ints, versions: int, tries: int) -> Ints:
    """Version looked at in each try of a search by halves, shape (n_accounts, tries)."""
    low, high = np.zeros(len(culprit), np.int64), np.full(len(culprit), versions - 1, np.int64)
    looked = []
    for _ in range(tries):
        middle = (low + high) // 2
        looked.append(middle)
        bad = middle >= culprit
        low, high = np.where(bad, low, np.minimum(middle + 1, high)), np.where(bad, middle, high)
    return np.stack(looked, axis=1) if len(culprit) else np.zeros((0, tries), np.int64)


def _versions(world: World, n: int, versions: int, rng: Rng) -> pa.Array:
    """Versions of each account's system prompt: the same beginning, an addition of each one's own."""
    base = world.texts.personas(n, rng).cast(pa.string())
    added = world.texts.personas(n * versions, rng).cast(pa.string())
    stem = base.take(pa.array(np.repeat(np.arange(n), versions)))
    return pc.binary_join_element_wise(stem, added, " ")


def _graded(suite: Prompts, item: Ints, arrivals: Arrivals, **wishes: object) -> Traffic:
    return recite(suite, item, arrivals, output_tokens=45.0, response_format="json_object", **wishes)


def _suites(world: World, org: Ints, items: int, rng: Rng, theme: str = "regression") -> Prompts:
    """`items` fixed items per organisation, one after the other."""
    books = []
    for _ in range(int(org.max(initial=0)) + 1):
        book = world.texts.fixed(theme, 3 * items, rng)  # of a pool, each takes other rows
        books.append(book.take(rng.permutation(len(book))[np.arange(items) % len(book)]))
    return bound(books)


def _nth(arrivals: Arrivals) -> Ints:
    """Place of each request within its account."""
    counts = np.bincount(arrivals.account)
    return np.arange(len(arrivals)) - (np.cumsum(counts) - counts)[arrivals.account]


def _companies(world: World, generator: str, n: int, keys: int, rng: Rng) -> tuple[Crowd, Ints]:
    """Quality assurance of old customers: continuous-integration clients, enterprise plans, temperature 0."""
    profile = Profile(
        kind="regression_suite",
        generator=generator,
        age_days=(60, 1_000),
        clients=("ci", "ci", "sdk"),
        network="cloud",
        plans=(("enterprise", 0.8), ("api", 0.2)),
        verified=0.9,
        use_cases=("quality assurance",),
        temperatures=(0.0,),
        max_tokens=(256, 512),
        thinking=(None,),
        sessions=0.0,
        moves=0.9,
        move_share=(0.5, 0.5),
    )
    crowd = world.enrol(profile, n, rng)
    org = teams(n, keys, keys, rng)
    company(crowd, org)
    newcomers(world, crowd, 0.15, (0.5, 20.0), rng)
    return crowd, org


REGRESSION_SUITE = {
    "nightly_rubric": nightly_rubric,
    "release_gate": release_gate,
    "prompt_bisection": prompt_bisection,
}
