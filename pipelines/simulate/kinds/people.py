"""person_chat: people who ask this and that, in sittings, awake by their own clock.

Here: the habits of everyday, evening, office, student and night-owl users. Not here: those who live in
the product (power), seats of companies (seats), courses (classroom).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle, hours_around, own_days
from pipelines.simulate.kinds.networks import behind_shared_exits
from pipelines.simulate.kinds.speech import own_words, talk
from pipelines.simulate.population import Crowd, Floats, Profile
from pipelines.simulate.rhythm import AWAKE, OFFICE, sittings
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a kind of person uses the product."""

    sittings: float
    """Mean number a day."""
    turns: float
    """Mean number of messages in a sitting."""
    pause_s: float = 75.0
    curve: npt.NDArray[np.float64]
    """Weights of the 24 local hours."""
    weekend: float = 1.0
    themes: tuple[tuple[str, float], ...] = (("chat", 1.0),)
    """What the sittings are about, with shares that sum to one."""
    answer: float = 380.0
    """Median answer in tokens; every person has some of their own."""
    own_words: float = 0.08
    """Share of people who wrote themselves a system prompt."""


def visitors(world: World, crowd: Crowd, habit: Habit, rng: Rng, surge: Floats | None = None) -> Group:
    """People with a habit.

    Parameters
    ----------
    surge : float64, shape (n_nights, n_accounts); how much more each night sees, None for none
    """
    n = len(crowd)
    own_words(world, crowd, habit.own_words, rng)
    behind_shared_exits(crowd, rng)
    clock = crowd.utc_offset_h + rng.integers(-1, 2, n)  # early risers and late ones
    curve = own_days(habit.curve, n, rng)
    answer = habit.answer * rng.lognormal(0.0, 0.35, n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        expected = habit.sittings * crowd.zest * bustle(world, crowd, night.number, habit.weekend)
        if surge is not None:
            expected = expected * surge[min(night.number, len(surge) - 1)]
        traffic = []
        for theme, share in habit.themes:
            arrivals = sittings(expected * share, habit.turns, habit.pause_s, clock, rng, curve)
            traffic.append(talk(world, crowd, arrivals, theme, rng, output_tokens=answer[arrivals.account]))
        return traffic

    return Group(crowd, day)


def everyday(world: World, n: int, rng: Rng) -> Group:
    """A little of everything, all day."""
    profile = Profile(kind="person_chat", generator="everyday", age_days=(1, 900), system=0.25)
    habit = Habit(sittings=0.8, turns=3.2, curve=AWAKE)
    return visitors(world, world.enrol(profile, n, rng), habit, rng)


def evening_chatter(world: World, n: int, rng: Rng) -> Group:
    """After dinner, on the phone, long talks."""
    profile = Profile(
        kind="person_chat", generator="evening_chatter", age_days=(1, 700), clients=("phone",), verified=0.4
    )
    habit = Habit(
        sittings=0.7, turns=5.5, pause_s=50.0, curve=hours_around(20.5, 2.0), weekend=1.4, answer=240.0
    )
    return visitors(world, world.enrol(profile, n, rng), habit, rng)


def office_user(world: World, n: int, rng: Rng) -> Group:
    """At work, on their own account: mail, tables, a bit of code."""
    profile = Profile(
        kind="person_chat",
        generator="office_user",
        age_days=(10, 900),
        clients=("web",),
        addresses=(2, 4),
        plans=(("plus", 0.7), ("free", 0.2), ("api", 0.1)),
        verified=0.6,
        use_cases=("office work",),
        system=0.15,
    )
    themes = (("work", 0.65), ("chat", 0.2), ("coding", 0.15))
    habit = Habit(sittings=1.1, turns=2.6, pause_s=110.0, curve=OFFICE, weekend=0.2, themes=themes)
    return visitors(world, world.enrol(profile, n, rng), habit, rng)


def student(world: World, n: int, rng: Rng) -> Group:
    """Afternoons and late; every ten days or so something is due, and two nights are long."""
    profile = Profile(
        kind="person_chat",
        generator="student",
        age_days=(1, 500),
        plans=(("free", 0.7), ("plus", 0.2), ("education", 0.1)),
        addresses=(2, 4),
        verified=0.3,
    )
    crowd = world.enrol(profile, n, rng)
    due = rng.integers(0, 10, n)
    surge = np.where((np.arange(world.n_days)[:, None] + due) % 10 >= 8, 2.8, 0.7)
    themes = (("chat", 0.6), ("work", 0.2), ("coding", 0.2))
    habit = Habit(sittings=0.9, turns=4.0, curve=hours_around(17.0, 4.5), weekend=0.9, themes=themes)
    return visitors(world, crowd, habit, rng, surge)


def night_owl(world: World, n: int, rng: Rng) -> Group:
    """Awake when others sleep: tripping every rule about hours, on an account of their own."""
    profile = Profile(kind="person_chat", generator="night_owl", age_days=(1, 900), verified=0.4, system=0.2)
    habit = Habit(sittings=0.9, turns=5.0, pause_s=60.0, curve=hours_around(1.5, 2.5), weekend=1.3)
    return visitors(world, world.enrol(profile, n, rng), habit, rng)


PERSON_CHAT = {
    "everyday": everyday,
    "evening_chatter": evening_chatter,
    "office_user": office_user,
    "student": student,
    "night_owl": night_owl,
}
