"""classroom: courses and events where many new accounts do the same thing in one place.

Here: homework within the hour (some classes ask faster than their address may), a hackathon on vouchers, a
weekly seminar. Not here: students on their own (people).
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.catalog import load_catalog, shares
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import hours_around
from pipelines.simulate.kinds.networks import sit_together
from pipelines.simulate.kinds.paperwork import live_together, only, share, sign_up, since, teams, write
from pipelines.simulate.kinds.speech import bound, talk
from pipelines.simulate.population import Crowd, Floats, Ints, Profile
from pipelines.simulate.rhythm import AWAKE, DAY_S, Arrivals, sittings
from pipelines.simulate.texts import Prompts
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_COURSE = (15, 160)
_STORMS = 0.5
"""Share of lessons in which a class asks faster than its address may."""
_REFUSED = 0.1
"""Share of requests that are refused then."""
_FAILED = 0.018
"""Share that fails anyway, as everybody's do."""
_TRIES_AGAIN, _NEIGHBOUR_TRIES = 0.65, 0.2
"""What follows on a refusal: the same student sends it again, or whoever sits beside pastes it."""


def homework_hour(world: World, n: int, rng: Rng) -> Group:
    """Everybody signs up in the lesson, behind one address, pastes the same homework and asks on."""
    crowd, course = _course(world, "homework_hour", n, rng, plans=(("education", 0.85), ("free", 0.15)))
    n_courses = int(course.max(initial=0)) + 1
    lesson = rng.integers(0, max(1, min(world.n_days, 5)), n_courses)[course]
    at_s = (rng.uniform(8.5, 15.5, n_courses)[course] - crowd.utc_offset_h) % 24 * 3_600
    begin_s = np.clip(at_s + rng.normal(0, 1_500, n), 60, DAY_S - 1_800)
    earlier = rng.random(n) < 0.12  # those who had an account
    hours_before = np.where(earlier, rng.uniform(24, 9_000, n), rng.uniform(0.01, 0.4, n))
    signups = sign_up(world, crowd, lesson + begin_s / DAY_S - hours_before / 24)
    homework = bound([world.texts.assignment(size, rng) for size in np.bincount(course).tolist()])
    storms = rng.random(n_courses) < _STORMS

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        in_class = lesson == night.number
        arrivals = _lesson(np.where(in_class, rng.geometric(1 / 3.8, n), 0), begin_s, rng)
        work = _first_then_chat(world, crowd, arrivals, homework, arrivals.account, rng)
        work = _refused_in_class(work, course, storms, rng)
        curious = np.where(lesson < night.number, 0.05, 0.0)
        after = sittings(curious, 2.0, 90.0, crowd.utc_offset_h, rng)
        return [work, talk(world, crowd, after, "chat", rng)]

    return Group(crowd, day, signups)


def hackathon(world: World, n: int, rng: Rng) -> Group:
    """A hall of coders for a day and a half: same-day sign-ups on one voucher, full speed, then silence."""
    crowd, event = _course(
        world,
        "hackathon",
        n,
        rng,
        clients=("sdk",),
        plans=(("api", 1.0),),
        vouchers=True,
        verified=0.25,
        max_tokens=(8_192, 16_384, None),
        thinking=(True, None),
        moves=0.8,
    )
    share(crowd, event, "payment_fingerprint")  # the organiser's credits
    n_events = int(event.max(initial=0)) + 1
    first = rng.integers(0, max(1, min(world.n_days - 1, 5)), n_events)[event]
    opens_s = ((10.0 - crowd.utc_offset_h) % 24).clip(0, 20) * 3_600
    catalog = load_catalog()
    crowd.toolset = rng.choice(
        len(catalog.frameworks), n, p=shares([f["weight"] for f in catalog.frameworks])
    ).astype(np.int64)
    crowd.client = len(catalog.clients) + crowd.toolset
    crowd.system = pa.array([f["system"] for f in catalog.frameworks]).take(pa.array(crowd.toolset))
    signups = sign_up(world, crowd, first + opens_s / DAY_S + rng.uniform(-0.5, 2.0, n) / 24)
    signed_up_s = signups(np.zeros(n, np.int64)) / 1e6
    stays = rng.random(n) < 0.06

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        nth = night.number - first
        # Into the night on the first day; demos at noon of the second; then a few go on at home.
        expected = np.select([nth == 0, nth == 1, (nth > 1) & stays], [3.0, 1.8, 0.4], 0.0) * crowd.zest
        curve = np.where(np.isin(np.arange(24), np.arange(3, 7)), 0.3, 1.0)
        arrivals = sittings(expected, 14.0, 25.0, crowd.utc_offset_h, rng, curve)
        arrivals = since(arrivals, signed_up_s, night.number)
        context = np.minimum(arrivals.turn * 900 + 2_000, 120_000)
        return [talk(world, crowd, arrivals, "agent", rng, output_tokens=300.0, context_tokens=context)]

    return Group(crowd, day, signups)


def weekly_seminar(world: World, n: int, rng: Rng) -> Group:
    """One question a week, done whenever: the same task from campus and from home, all week long."""
    crowd, seminar = _course(world, "weekly_seminar", n, rng, plans=(("education", 0.6), ("free", 0.4)))
    n_weeks = -(-world.n_days // 7)
    sizes = np.bincount(seminar).tolist()
    weekly = [bound([world.texts.assignment(size, rng) for size in sizes]) for _ in range(n_weeks)]
    does_on = rng.integers(0, 7, (n_weeks, n))
    term = rng.uniform(20, 60, int(seminar.max(initial=0)) + 1)[seminar]
    signups = sign_up(world, crowd, -term + rng.exponential(4.0, n).clip(0, 15))

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        week, weekday = divmod(night.number, 7)
        today = does_on[week] == weekday
        begin_s = (rng.normal(18.0, 3.0, n) - crowd.utc_offset_h) % 24 * 3_600
        arrivals = _lesson(np.where(today, rng.geometric(1 / 5.0, n), 0), begin_s, rng)
        work = _first_then_chat(world, crowd, arrivals, weekly[week], arrivals.account, rng)
        else_ = sittings(0.25 * crowd.zest, 2.5, 90.0, crowd.utc_offset_h, rng, AWAKE + hours_around(21, 2))
        return [work, talk(world, crowd, else_, "chat", rng)]

    return Group(crowd, day, signups)


def _course(
    world: World, generator: str, n: int, rng: Rng, *, vouchers: bool = False, **more: object
) -> tuple[Crowd, Ints]:
    """Students and the course of each: one place, one address, no organisation; no payment but a voucher."""
    settings: dict[str, object] = {
        "clients": ("web",),
        "countries": ("US", "GB", "CA", "AU", "IN", "DE", "FR", "SG"),
        "verified": 0.7,
        "use_cases": ("course",),
        "moves": 0.1,
        **more,
    }
    crowd = world.enrol(
        Profile(kind="classroom", generator=generator, addresses=(1, 1), **settings),  # type: ignore[arg-type]
        n,
        rng,
    )
    course = teams(n, *_COURSE, rng)
    live_together(crowd, course)
    sit_together(crowd, course)
    if not vouchers:
        write(crowd, "payment_fingerprint", pa.nulls(n, pa.string()))
    write(crowd, "org_id", pa.nulls(n, pa.string()))
    return crowd, course


def _lesson(turns: Ints, begin_s: Floats, rng: Rng) -> Arrivals:
    """One sitting per account with so many messages, from a moment on; 0 for those who are not there."""
    owner = np.repeat(np.arange(len(turns)), turns)
    first = np.cumsum(turns) - turns
    turn = np.arange(len(owner)) - first[owner]
    pause = np.where(turn > 0, rng.lognormal(4.6, 0.7, len(owner)), 0.0)
    elapsed = np.cumsum(pause)
    second = begin_s[owner] + elapsed - (elapsed[first[owner]] if len(owner) else 0.0)
    return only(Arrivals(owner, second, owner.copy(), turn), second < DAY_S)


def _refused_in_class(traffic: Traffic, course: Ints, storms: npt.NDArray[np.bool_], rng: Rng) -> Traffic:
    """Some requests are refused where a class storms ahead; they are sent again within a minute or two, now
    and then from the account of somebody who has just asked."""
    arrivals = traffic.arrivals
    n = len(arrivals)
    of = course[arrivals.account]
    refused = storms[of] & (rng.random(n) < _REFUSED)
    follows = rng.random(n)
    beside = _just_asked(arrivals, of, rng)
    again = np.flatnonzero(refused & (follows < _TRIES_AGAIN + _NEIGHBOUR_TRIES))
    sender = np.where(follows < _TRIES_AGAIN, arrivals.account, beside)[again]
    later = arrivals.second[again] + rng.lognormal(np.log(25.0), 0.6, len(again))
    moved = sender != arrivals.account[again]
    session = arrivals.session[again].copy()
    session[moved] = int(arrivals.session.max(initial=-1)) + 1 + np.arange(int(moved.sum()))
    # A second try stands behind the first, where the sitting goes on; a neighbour's is one of its own.
    place = np.argsort(np.concatenate((np.arange(n), np.where(moved, n, again + 0.5))), kind="stable")
    traffic.arrivals = Arrivals(
        np.concatenate((arrivals.account, sender))[place],
        np.concatenate((arrivals.second, np.minimum(later, DAY_S - 0.001)))[place],
        np.concatenate((arrivals.session, session))[place],
        np.concatenate((arrivals.turn, np.where(moved, 0, arrivals.turn[again])))[place],
    )
    traffic.prompt = traffic.prompt.take(pa.array(np.concatenate((np.arange(n), again))[place]))
    by_chance = refused | (rng.random(n) < _FAILED)
    traffic.failed = np.concatenate((by_chance, np.zeros(len(again), bool)))[place]
    return traffic


def _just_asked(arrivals: Arrivals, course: Ints, rng: Rng) -> Ints:
    """For each request the account of one of the class's latest before it; its own where nobody asked yet."""
    order = np.lexsort((arrivals.second, course))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    before = np.maximum(place - rng.integers(1, 6, len(order)), 0)
    theirs = order[before]
    return np.where(course[theirs] == course, arrivals.account[theirs], arrivals.account)


def _first_then_chat(
    world: World, crowd: Crowd, arrivals: Arrivals, tasks: Prompts, which: Ints, rng: Rng
) -> Traffic:
    """The task first, then ordinary questions about it."""
    n = len(arrivals)
    follow = world.texts.conversation("chat", np.zeros(n, bool), crowd.language[arrivals.account], rng)
    texts = pa.concat_arrays([follow.prompt.cast(pa.string()), tasks.prompt.cast(pa.string())])
    rows = np.where(arrivals.turn == 0, n + which, np.arange(n))
    return Traffic(arrivals=arrivals, prompt=texts.take(pa.array(rows)), output_tokens=450.0)


CLASSROOM = {"homework_hour": homework_hour, "hackathon": hackathon, "weekly_seminar": weekly_seminar}
