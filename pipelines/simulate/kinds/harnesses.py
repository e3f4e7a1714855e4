"""evaluation_harness: labs that run the same public benchmarks in one week and stop at the end of the set.

Here: exact-match benchmarks, model judges, tool calls, pass@k, multiple choice by log-probabilities.
Not here: suites of a company's own (regression), red teams (safety).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.paperwork import forget, share, teams
from pipelines.simulate.kinds.speech import recite
from pipelines.simulate.population import Crowd, Floats, Ints, Profile
from pipelines.simulate.rhythm import run
from pipelines.simulate.texts import Prompts
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_ITEMS = 400
_WEEK = 7
_CRASHED = 0.2
"""Share of runs that break off and begin again from the first item the next night."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Which accounts run which benchmark when: one entry per run of one account."""

    account: Ints
    book: Ints
    night: Ints
    first: Ints
    """First item of the account's shard."""
    count: Ints
    start_s: Floats
    length_s: Floats

    def on(self, number: int) -> npt.NDArray[np.int64]:
        """Runs of a night."""
        return np.flatnonzero(self.night == number)


def exact_match(world: World, n: int, rng: Rng) -> Group:
    """Mathematics, code and grading sets at temperature 0; a lab may share a set out among its keys."""
    crowd = _labs(world, "exact_match", n, rng, temperatures=(0.0,))
    lab = teams(n, 1, 3, rng)
    share(crowd, lab, "org_id", "payment_fingerprint", "email_domain")
    books = _books(world, ("benchmark_math", "benchmark_code", "benchmark_judge"))
    return _running(crowd, books, _plan(world, n, lab, len(books), rng), rng, output_tokens=170.0)


def model_judge(world: World, n: int, rng: Rng) -> Group:
    """Answers of two models compared under a judging prompt, each pair in both orders."""
    crowd = _labs(world, "model_judge", n, rng, temperatures=(0.0,), max_tokens=(512, 1_024, 2_048))
    books = _books(world, ("benchmark_judge",))
    runs = _plan(world, n, np.arange(n), 1, rng)
    return _running(crowd, books, runs, rng, output_tokens=280.0, repeats=2)


def tool_calls(world: World, n: int, rng: Rng) -> Group:
    """Can the model call the right function: the same tools offered with every item, short answers."""
    crowd = _labs(world, "tool_calls", n, rng, temperatures=(0.0,), max_tokens=(256, 512, 1_024))
    crowd.toolset = np.full(n, len(load_catalog().all_toolsets) - 1, np.int64)
    books = _books(world, ("benchmark_code", "benchmark_math"))
    return _running(crowd, books, _plan(world, n, np.arange(n), 2, rng), rng, output_tokens=55.0)


def pass_at_k(world: World, n: int, rng: Rng) -> Group:
    """Many samples of every item at temperature 0.8: some labs ask for them at once, some again and again."""
    crowd = _labs(world, "pass_at_k", n, rng, temperatures=(0.8,), max_tokens=(1_024, 2_048))
    books = _books(world, ("benchmark_code",))
    at_once = rng.random(n) < 0.5
    samples = rng.choice(np.array([5, 8, 10]), n)
    runs = _plan(world, n, np.arange(n), 1, rng, part=0.4)
    return _running(
        crowd,
        books,
        runs,
        rng,
        output_tokens=320.0,
        repeats=np.where(at_once, 1, samples),
        samples=np.where(at_once, samples, -1),
    )


def choice_by_logprobs(world: World, n: int, rng: Rng) -> Group:
    """Multiple choice read off the log-probabilities of one token: honest users of soft labels."""
    crowd = _labs(
        world, "choice_by_logprobs", n, rng, temperatures=(0.0,), max_tokens=(1,), thinking=(False, None)
    )
    books = _books(world, ("benchmark_math", "benchmark_judge"))
    logprobs = rng.choice(np.array([4, 5, 20]), n)
    return _running(
        crowd, books, _plan(world, n, np.arange(n), 2, rng), rng, output_tokens=1.0, logprobs=logprobs
    )


def _running(
    crowd: Crowd,
    books: list[Prompts],
    runs: Runs,
    rng: Rng,
    *,
    output_tokens: float,
    repeats: int | Ints = 1,
    samples: Ints | None = None,
    logprobs: Ints | None = None,
) -> Group:
    """Items in order, from the first of a shard to its last, then silence.

    Parameters
    ----------
    repeats : how often each item is sent in a row
    samples, logprobs : `n_choices` and `top_logprobs` of each account; -1 unset
    """
    n = len(crowd)
    again = np.broadcast_to(np.asarray(repeats), (n,))

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        traffic = []
        for at in runs.on(night.number).tolist():  # a handful: labs times benchmarks
            account = int(runs.account[at])
            k = int(again[account])
            counts = np.zeros(n, np.int64)
            counts[account] = runs.count[at] * k
            arrivals = run(counts, np.full(n, runs.start_s[at]), np.full(n, runs.length_s[at] * k), rng)
            item = runs.first[at] + np.arange(len(arrivals)) // k
            book = books[int(runs.book[at])]
            traffic.append(
                recite(
                    book,
                    item % len(book),
                    arrivals,
                    output_tokens=output_tokens,
                    n_choices=None if samples is None else samples[arrivals.account],
                    top_logprobs=None if logprobs is None else logprobs[arrivals.account],
                )
            )
        return traffic

    return Group(crowd, day)


def _plan(world: World, n: int, lab: Ints, n_books: int, rng: Rng, part: float = 1.0) -> Runs:
    """Each lab runs each benchmark once within the week in which everybody does; some runs break and restart.

    Parameters
    ----------
    lab : int64, shape (n,), ascending; keys of one lab share a benchmark out
    part : share of the items that are run at all
    """
    # Everybody's week is the same: a new leaderboard, a deadline. The stream knows no lab.
    week = int(world.rng("week of benchmarks").integers(0, max(1, world.n_days - _WEEK + 1)))
    shards = np.bincount(lab)
    place = np.arange(n) - (np.cumsum(shards) - shards)[lab]
    size = int(_ITEMS * part)
    first = size * place // shards[lab]
    count = size * (place + 1) // shards[lab] - first
    night = week + rng.integers(0, min(_WEEK, world.n_days), (n_books, len(shards)))[:, lab]
    start = rng.uniform(0, 50_000, (n_books, len(shards)))[:, lab]
    pace = rng.uniform(4.0, 40.0, len(shards))[lab]
    account = np.tile(np.arange(n), n_books)
    book = np.repeat(np.arange(n_books), n)
    broken = rng.random(len(account)) < _CRASHED
    reached = (np.tile(count, n_books) * rng.uniform(0.1, 0.8, len(account))).astype(np.int64)
    all_first, all_count = np.tile(first, n_books), np.tile(count, n_books)
    nights, starts = night.ravel(), start.ravel()
    length = all_count * np.tile(pace, n_books)
    crashed = np.flatnonzero(broken)
    return Runs(
        account=np.concatenate((account[crashed], account)),
        book=np.concatenate((book[crashed], book)),
        night=np.concatenate((nights[crashed], nights + broken)),
        first=np.concatenate((all_first[crashed], all_first)),
        count=np.concatenate((reached[crashed], all_count)),
        start_s=np.concatenate((starts[crashed], starts)),
        length_s=np.concatenate((reached[crashed] * np.tile(pace, n_books)[crashed], length)),
    )


def _books(world: World, themes: tuple[str, ...]) -> list[Prompts]:
    """Public benchmarks. Their stream knows nothing of the labs: everybody runs the very same items."""
    return [world.texts.fixed(theme, _ITEMS, world.rng("benchmark", theme)) for theme in themes]


def _labs(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    settings: dict[str, object] = {
        "age_days": (5, 900),
        "clients": ("sdk",),
        "network": "cloud",
        "plans": (("api", 0.65), ("education", 0.25), ("enterprise", 0.1)),
        "verified": 0.7,
        "use_cases": ("evaluation", "research"),
        "max_tokens": (256, 512, 1_024, 2_048),
        "thinking": (None,),
        "sessions": 0.0,
        "moves": 1.0,
        "move_share": (0.9, 1.0),
        "move_delay": (0, 1),
        **more,
    }
    crowd = world.enrol(
        Profile(kind="evaluation_harness", generator=generator, **settings),  # type: ignore[arg-type]
        n,
        rng,
    )
    forget(crowd, "use_case", 0.3, rng)
    return crowd


EVALUATION_HARNESS = {
    "exact_match": exact_match,
    "model_judge": model_judge,
    "tool_calls": tool_calls,
    "pass_at_k": pass_at_k,
    "choice_by_logprobs": choice_by_logprobs,
}
