"""new_model_mover: those who move to a new model on the day it comes out, wholly or in step with others.

Here: enthusiasts, companies that run both models side by side, bloggers who compare them. Everybody else
moves in part and at leisure (Profile.moves). Before the release, and in a world without one, they do what
they always do.
"""

import numpy as np

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle
from pipelines.simulate.kinds.people import Habit, visitors
from pipelines.simulate.kinds.speech import bound, recite, talk
from pipelines.simulate.population import NEWEST_MODEL, Profile
from pipelines.simulate.rhythm import AWAKE, OFFICE, Arrivals, hours, scattered, singles, sittings
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_RELEASE_S = 9.0 * 3_600
"""Seconds after midnight UTC at which a model comes out."""


def enthusiasts(world: World, n: int, rng: Rng) -> Group:
    """People who read the announcement: all their traffic moves the same day, three times as much of it."""
    profile = Profile(
        kind="new_model_mover",
        generator="enthusiasts",
        age_days=(3, 900),
        clients=("web", "phone", "sdk"),
        plans=(("plus", 0.5), ("pro", 0.3), ("api", 0.2)),
        moves=1.0,
        move_share=(1.0, 1.0),
        move_delay=(0, 0),
    )
    crowd = world.enrol(profile, n, rng)
    after = np.arange(world.n_days) - world.release_day
    surge = np.select([after == 0, after == 1], [3.0, 2.0], 1.0)[:, None] * np.ones(n)
    themes = (("chat", 0.5), ("coding", 0.3), ("work", 0.2))
    habit = Habit(sittings=1.2, turns=3.5, curve=AWAKE, themes=themes)
    return visitors(world, crowd, habit, rng, surge)


def side_by_side(world: World, n: int, rng: Rng) -> Group:
    """An application sends a share of its requests to both models for a week, then decides."""
    profile = Profile(
        kind="new_model_mover",
        generator="side_by_side",
        age_days=(40, 1_000),
        clients=("sdk",),
        network="cloud",
        plans=(("api", 0.6), ("enterprise", 0.4)),
        verified=0.8,
        use_cases=("customer service", "classification"),
        temperatures=(0.0, 0.2, None),
        max_tokens=(128, 256, 512),
        sessions=0.1,
        moves=0.0,
    )
    crowd = world.enrol(profile, n, rng)
    templates = world.texts.templates("app", n, rng)
    size = np.minimum(rng.lognormal(4.2, 0.8, n), 1_500)
    mirrored = rng.uniform(0.3, 1.0, n)
    decides_for = rng.random(n) < 0.5

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        nth = night.number - world.release_day
        counts = rng.poisson(size * bustle(world, crowd, night.number, 0.6))
        asked = scattered(counts, AWAKE + 0.5, crowd.utc_offset_h, rng)
        texts = templates.prompts(asked.account, rng)
        is_out = (nth > 0) | ((nth == 0) & (asked.second > _RELEASE_S + 1_800))
        trial = is_out & (nth < 7) & (rng.random(len(asked)) < mirrored[asked.account])
        twice = np.flatnonzero(trial)
        rows = np.concatenate((np.arange(len(asked)), twice))
        second = asked.second[rows]
        second[len(asked) :] += rng.exponential(0.4, len(twice))
        decided = decides_for[asked.account] & (nth >= 7)
        model = np.concatenate(
            (np.where(decided, NEWEST_MODEL, -1), np.full(len(twice), NEWEST_MODEL))
        ).astype(np.int64)
        second = np.minimum(second, 86_399.0)
        arrivals = singles(asked.account[rows], second)
        order = np.lexsort((second, asked.account[rows]))
        return [recite(texts, rows[order], arrivals, output_tokens=60.0, model=model[order])]

    return Group(crowd, day)


def comparison_blogger(world: World, n: int, rng: Rng) -> Group:
    """A fixed list of questions to every model on the day, several times each; a post, then a second look."""
    profile = Profile(
        kind="new_model_mover",
        generator="comparison_blogger",
        age_days=(20, 900),
        clients=("sdk", "web"),
        plans=(("api", 0.6), ("plus", 0.4)),
        verified=0.4,
        moves=1.0,
        move_share=(0.3, 0.8),
        move_delay=(0, 0),
        thinking=(None, True, False),
    )
    crowd = world.enrol(profile, n, rng)
    most = 45
    questions = bound(
        [world.texts.conversation("chat", np.ones(n * most, bool), np.repeat(crowd.language, most), rng)]
    )
    n_questions = rng.integers(12, most + 1, n)
    rounds = rng.integers(1, 4, n)
    models = np.arange(NEWEST_MODEL + 1)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        usual = sittings(1.0 * crowd.zest, 4.0, 75.0, crowd.utc_offset_h, rng)
        nth = night.number - world.release_day
        again = {0: 1.0, 1: 0.4}.get(nth, 0.0)
        looks = np.where(rng.random(n) < again, n_questions * rounds * len(models), 0)
        owner = np.repeat(np.arange(n), looks)
        at = np.arange(len(owner)) - np.repeat(np.cumsum(looks) - looks, looks)
        begin = hours(n, OFFICE, crowd.utc_offset_h, rng)
        begin = np.maximum(begin, _RELEASE_S + 900) if nth == 0 else begin
        second = np.minimum(begin[owner] + at * rng.uniform(4.0, 9.0, len(owner)), 86_399.0)
        arrivals = Arrivals(owner, second, np.arange(len(owner)), np.zeros(len(owner), np.int64))
        question = owner * most + at // len(models) % n_questions[owner]
        return [
            talk(world, crowd, usual, "chat", rng),
            recite(questions, question, arrivals, model=models[at % len(models)], output_tokens=420.0),
        ]

    return Group(crowd, day)


NEW_MODEL_MOVER = {
    "enthusiasts": enthusiasts,
    "side_by_side": side_by_side,
    "comparison_blogger": comparison_blogger,
}
