"""viral_prompt: ordinary people who try one fashionable prompt once or a few times.

Here: organic growth, a challenge in one country, a newsletter's morning. Not here: what they do otherwise
beyond small talk.
"""

from dataclasses import replace

import numpy as np

from pipelines.simulate.group import Group, Night, SignUps, World
from pipelines.simulate.kinds.calendar import hours_around, own_days
from pipelines.simulate.kinds.networks import behind_shared_exits
from pipelines.simulate.kinds.paperwork import age_days, sign_up, since
from pipelines.simulate.kinds.speech import ask, recite, talk
from pipelines.simulate.population import Crowd, Floats, Ints, Profile
from pipelines.simulate.rhythm import AWAKE, DAY_S, hours, sittings
from pipelines.simulate.texts import Prompts, Templates
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic

_COUNTRIES_WITH_FASHIONS = ("US", "BR", "IN", "JP", "DE", "FR", "MX")


def organic_growth(world: World, n: int, rng: Rng) -> Group:
    """It spreads like a fashion, along a logistic curve, over all countries."""
    crowd = world.enrol(
        Profile(kind="viral_prompt", generator="organic_growth", age_days=(2, 800), verified=0.4), n, rng
    )
    met = np.clip(world.n_days * 0.55 + rng.logistic(0, world.n_days * 0.15, n), 0, world.n_days - 1)
    met_day = met.astype(np.int64)
    signups = _some_came_for_it(world, crowd, met_day, 0.25, AWAKE, rng)
    return _tried(world, crowd, met_day, AWAKE, world.texts.templates("viral", 1, rng), signups, rng)


def country_challenge(world: World, n: int, rng: Rng) -> Group:
    """A challenge among the young of one country: three nights, mostly phones, several tries each."""
    country = str(rng.choice(np.array(_COUNTRIES_WITH_FASHIONS)))
    profile = Profile(
        kind="viral_prompt",
        generator="country_challenge",
        age_days=(1, 400),
        clients=("phone",),
        countries=(country,),
        plans=(("free", 0.8), ("plus", 0.2)),
        verified=0.25,
    )
    crowd = world.enrol(profile, n, rng)
    begins = int(rng.integers(0, max(1, world.n_days - 2)))
    met_day = np.minimum(begins + rng.gamma(2.0, 0.6, n), world.n_days - 1).astype(np.int64)
    curve = hours_around(18.5, 3.0)
    signups = _some_came_for_it(world, crowd, met_day, 0.45, curve, rng)
    fashion = world.texts.templates("viral", 1, rng)
    return _tried(world, crowd, met_day, curve, fashion, signups, rng, tries=2.0)


def newsletter_morning(world: World, n: int, rng: Rng) -> Group:
    """A newsletter prints a prompt: within one morning hundreds paste the very same words."""
    profile = Profile(
        kind="viral_prompt",
        generator="newsletter_morning",
        age_days=(2, 900),
        countries=("US", "GB", "CA", "AU", "DE", "CH"),
        verified=0.55,
    )
    crowd = world.enrol(profile, n, rng)
    morning = int(rng.integers(0, world.n_days))
    late = rng.random(n) < 0.15
    met_day = np.where(late, np.minimum(morning + 1, world.n_days - 1), morning)
    curve = hours_around(8.2, 1.1, 0.004)
    signups = _some_came_for_it(world, crowd, met_day, 0.2, curve, rng)
    printed = world.texts.templates("viral", 1, rng).prompts(np.zeros(1, np.int64), rng)
    return _tried(world, crowd, met_day, curve, printed, signups, rng)


def _some_came_for_it(
    world: World, crowd: Crowd, met_day: Ints, share: float, curve: Floats, rng: Rng
) -> SignUps:
    """Some sign up on the day on which they meet the prompt, to try it."""
    n = len(crowd)
    came = rng.random(n) < share
    moment = met_day + hours(n, curve, crowd.utc_offset_h, rng) / DAY_S
    return sign_up(world, crowd, np.where(came, moment, -age_days(world, crowd)))


def _tried(
    world: World,
    crowd: Crowd,
    met_day: Ints,
    curve: Floats,
    fashion: Templates | Prompts,
    signups: SignUps,
    rng: Rng,
    tries: float = 1.2,
) -> Group:
    """People who talk as ever, and try the prompt on the day they meet it and now and then once more."""
    n = len(crowd)
    behind_shared_exits(crowd, rng)
    awake = own_days(AWAKE, n, rng)
    signed_up_s = signups(np.zeros(n, np.int64)) / 1e6

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        usual = sittings(0.6 * crowd.zest, 3.0, 75.0, crowd.utc_offset_h, rng, awake)
        keen = np.select([met_day == night.number, met_day == night.number - 1], [tries, 0.15], 0.0)
        tried = sittings(keen, 1.0, 60.0, crowd.utc_offset_h, rng, curve)
        new_s = signed_up_s[tried.account] - night.number * DAY_S
        soon = new_s + rng.lognormal(5.0, 0.9, len(tried))  # who came for it does not wait
        tried = replace(tried, second=np.where(new_s > 0, np.minimum(soon, DAY_S - 1), tried.second))
        usual = since(usual, signed_up_s, night.number)
        none = np.zeros(len(tried), np.int64)
        words = (
            recite(fashion, none, tried) if isinstance(fashion, Prompts) else ask(fashion, none, tried, rng)
        )
        return [talk(world, crowd, usual, "chat", rng), words]

    return Group(crowd, day, signups)


VIRAL_PROMPT = {
    "organic_growth": organic_growth,
    "country_challenge": country_challenge,
    "newsletter_morning": newsletter_morning,
}
