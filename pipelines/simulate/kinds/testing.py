"""test_automation: test suites that call the API from short-lived runners.

Here: fixed cases after every commit, retries of flaky cases, a load test, tests by a browser agent.
Not here: grading of answers (regression), public benchmarks (harnesses).
"""

import numpy as np

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle
from pipelines.simulate.kinds.speech import bound, recite
from pipelines.simulate.population import Crowd, Floats, Ints, Profile
from pipelines.simulate.rhythm import OFFICE, Arrivals, hours, run, singles
from pipelines.simulate.texts import Prompts
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_CASES = 40


def ci_fixed_cases(world: World, n: int, rng: Rng) -> Group:
    """Every commit runs the same cases, from one of many runners, in a minute or two."""
    crowd = _pipelines(world, "ci_fixed_cases", n, rng)
    cases = _suites(world, n, _CASES, rng)
    n_cases = rng.integers(8, _CASES + 1, n)
    images = load_catalog().client_weights(("ci", "sdk"))  # one key, whatever the runner's image holds

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        commits = 4.0 * crowd.zest * bustle(world, crowd, night.number, 0.2)
        arrivals, case, build = _after_commits(crowd, commits, n_cases, 1.6, rng)
        runners = rng.choice(len(images), int(build.max(initial=-1)) + 1, p=images)
        return [
            recite(
                cases,
                arrivals.account * _CASES + case,
                arrivals,
                output_tokens=60.0,
                address=build,
                client=runners[build],
            )
        ]

    return Group(crowd, day)


def flaky_retries(world: World, n: int, rng: Rng) -> Group:
    """The same, but what fails is tried again at once, up to four times: bursts of one text."""
    crowd = _pipelines(world, "flaky_retries", n, rng)
    cases = _suites(world, n, _CASES, rng)
    n_cases = rng.integers(5, 20, n)
    flaky = rng.beta(1.2, 5.0, (n, _CASES))

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        commits = 4.0 * crowd.zest * bustle(world, crowd, night.number, 0.3)
        first, case, _ = _after_commits(crowd, commits, n_cases, 2.5, rng)
        tries = np.minimum(rng.geometric(1.0 - flaky[first.account, case].clip(0, 0.95)), 4)
        row = np.repeat(np.arange(len(first)), tries)
        attempt = np.arange(len(row)) - np.repeat(np.cumsum(tries) - tries, tries) + 1
        second = np.minimum(first.second[row] + (attempt - 1) * 2.0**attempt, 86_399.0)  # doubling waits
        arrivals = Arrivals(first.account[row], second, np.arange(len(row)), np.zeros(len(row), np.int64))
        return [
            recite(
                cases,
                arrivals.account * _CASES + case[row],
                arrivals,
                output_tokens=60.0,
                attempt=attempt,
                failed=attempt < tries[row],
            )
        ]

    return Group(crowd, day)


def load_test(world: World, n: int, rng: Rng) -> Group:
    """Now and then an hour at full throttle with three prompts, no ramp, throttled by the service."""
    crowd = _pipelines(world, "load_test", n, rng, max_tokens=(16, 32, 64), thinking=(None, False))
    cases = _suites(world, n, 3, rng)
    every = rng.integers(3, 8, n)
    phase = rng.integers(0, 8, n)
    size = np.minimum(rng.lognormal(7.2, 0.5, n), 6_000)
    hour = rng.uniform(0.0, 21.0, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        tonight = (night.number + phase) % every == 0
        counts = np.where(tonight, size, rng.poisson(6.0, n)).astype(np.int64)
        start = hour * 3_600 * np.where(tonight, 1.0, rng.uniform(0.3, 1.0, n))
        arrivals = run(counts, start, np.where(tonight, 3_600.0, 7_200.0), rng)
        throttled = rng.random(len(arrivals)) < np.where(tonight, 0.17, 0.01)[arrivals.account]
        which = arrivals.account * 3 + rng.integers(0, 3, len(arrivals))
        return [recite(cases, which, arrivals, output_tokens=25.0, failed=throttled)]

    return Group(crowd, day)


def browser_agent_tests(world: World, n: int, rng: Rng) -> Group:
    """An agent clicks through the same eight journeys of a product every night, a screenshot a step."""
    journeys, steps = 8, 14
    crowd = _pipelines(world, "browser_agent_tests", n, rng, max_tokens=(1_024, 2_048), thinking=(True, None))
    catalog = load_catalog()
    crowd.toolset = np.full(n, len(catalog.frameworks) + 1, np.int64)
    n_lines = n * journeys * steps
    begins = np.arange(n_lines) % steps == 0
    script = world.texts.conversation("agent", begins, np.zeros(n_lines, np.int64), rng)
    length = rng.integers(5, steps + 1, (n, journeys))

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        rounds = rng.poisson(1.0 + 1.5 * bustle(world, crowd, night.number, 0.3))
        owner = np.repeat(np.arange(n), rounds * journeys)
        journey = np.arange(len(owner)) % journeys
        begin = hours(len(owner), OFFICE + 3.0, crowd.utc_offset_h[owner], rng)
        size = length[owner, journey]
        session = np.repeat(np.arange(len(owner)), size)
        turn = np.arange(len(session)) - np.repeat(np.cumsum(size) - size, size)
        second = np.minimum(begin[session] + turn * rng.normal(7.0, 0.8, len(session)), 86_399.0)
        arrivals = Arrivals(owner[session], second, session, turn)
        line = (owner[session] * journeys + journey[session]) * steps + turn
        return [
            recite(
                script,
                line,
                arrivals,
                output_tokens=70.0,
                n_images=np.ones(len(arrivals), np.int64),
                context_tokens=1_500 + turn * 1_100,
            )
        ]

    return Group(crowd, day)


def _pipelines(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    """Keys of continuous integration: many addresses of hosters, no sessions, temperature mostly 0."""
    settings: dict[str, object] = {
        "age_days": (20, 900),
        "clients": ("ci", "ci", "sdk"),
        "network": "cloud",
        "addresses": (8, 30),
        "plans": (("api", 0.8), ("enterprise", 0.2)),
        "verified": 0.75,
        "use_cases": ("testing",),
        "temperatures": (0.0, 0.0, None),
        "sessions": 0.0,
        "moves": 0.3,
        **more,
    }
    profile = Profile(kind="test_automation", generator=generator, **settings)  # type: ignore[arg-type]
    return world.enrol(profile, n, rng)


def _suites(world: World, n: int, size: int, rng: Rng) -> Prompts:
    """`size` fixed cases per account, account after account."""
    total = n * size
    return bound([world.texts.conversation("test", np.ones(total, bool), np.zeros(total, np.int64), rng)])


def _after_commits(
    crowd: Crowd, commits: Floats, n_cases: Ints, pace_s: float, rng: Rng
) -> tuple[Arrivals, Ints, Ints]:
    """Whole suites, each started by a commit; with the case and the build of each request."""
    owner = np.repeat(np.arange(len(crowd)), rng.poisson(commits))
    begin = hours(len(owner), OFFICE + 1.0, crowd.utc_offset_h[owner], rng)
    size = n_cases[owner]
    build = np.repeat(np.arange(len(owner)), size)
    case = np.arange(len(build)) - np.repeat(np.cumsum(size) - size, size)
    second = np.minimum(begin[build] + case * pace_s + rng.exponential(2.0, len(build)), 86_399.0)
    order = np.lexsort((second, owner[build]))
    return singles(owner[build], second), case[order], build[order]


TEST_AUTOMATION = {
    "ci_fixed_cases": ci_fixed_cases,
    "flaky_retries": flaky_retries,
    "load_test": load_test,
    "browser_agent_tests": browser_agent_tests,
}
