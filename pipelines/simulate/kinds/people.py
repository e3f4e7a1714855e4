"""Benign kinds where a person sits at the keyboard.

Here: person_chat, power_user, enterprise_seats, classroom, viral_prompt. Not here: programs.
"""

import numpy as np
import pyarrow as pa

from pipelines.simulate.grammar import Rng
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.population import Profile
from pipelines.simulate.rhythm import OFFICE, Arrivals, sittings, together
from pipelines.simulate.texts import Prompts
from pipelines.simulate.traffic import Traffic


def person_chat(world: World, n: int, rng: Rng) -> Group:
    """People who ask this and that, in sittings, awake by their own clock."""
    crowd = world.enrol(Profile(kind="person_chat", age_days=(1, 900), system=0.25), n, rng)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        arrivals = sittings(0.8 * crowd.zest, 3.2, 75.0, crowd.utc_offset_h, rng)
        return [_talk(world, crowd.language, arrivals, "chat", rng)]

    return Group(crowd, day)


def power_user(world: World, n: int, rng: Rng) -> Group:
    """A few who live in the product: many sittings, long ones, sometimes at night."""
    profile = Profile(
        kind="power_user",
        clients=("web", "phone", "sdk"),
        addresses=(2, 6),
        plans=(("plus", 0.5), ("pro", 0.4), ("api", 0.1)),
        system=0.3,
        moves=0.8,
    )
    crowd = world.enrol(profile, n, rng)
    awake = np.full(24, 3.0) + OFFICE * 0.4

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        arrivals = sittings(7.0 * crowd.zest, 8.0, 60.0, crowd.utc_offset_h, rng, awake)
        return [_talk(world, crowd.language, arrivals, "chat", rng, output_tokens=520.0)]

    return Group(crowd, day)


def enterprise_seats(world: World, n: int, rng: Rng) -> Group:
    """Many seats of one company behind one address and one payment, at work in office hours."""
    seats = max(5, min(45, n // 3 or n))
    profile = Profile(
        kind="enterprise_seats",
        clients=("web",),
        network="office",
        org_size=seats,
        plans=(("enterprise", 1.0),),
        verified=1.0,
        use_cases=("office work", "research"),
        system=1.0,
        moves=0.5,
    )
    crowd = world.enrol(profile, n, rng)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        arrivals = sittings(
            1.7 * world.bustle(number, 0.12) * crowd.zest, 4.0, 90.0, crowd.utc_offset_h, rng, OFFICE
        )
        return [_talk(world, crowd.language, arrivals, "work", rng)]

    return Group(crowd, day)


def classroom(world: World, n: int, rng: Rng) -> Group:
    """A course: everybody signs up on the day, behind one address, pastes the same homework, asks on."""
    profile = Profile(
        kind="classroom",
        age_days=(0.02, 0.08),
        clients=("web",),
        network="office",
        countries=("US", "GB", "CA", "AU", "IN"),
        org_size=n,
        plans=(("education", 1.0),),
        verified=0.9,
        use_cases=("course",),
        moves=0.1,
    )
    crowd = world.enrol(profile, n, rng)
    crowd.accounts = _own_payments_and_orgs(crowd.accounts, number_of_days_later=_lesson_day(world))
    homework = world.texts.assignment(n, rng)
    lesson_s = 14 * 3_600.0

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        if number != _lesson_day(world):
            curious = np.where(rng.random(n) < 0.04, 1.0, 0.0)
            arrivals = sittings(curious, 2.0, 90.0, crowd.utc_offset_h, rng)
            return [_talk(world, crowd.language, arrivals, "chat", rng)]
        at = np.full(n, lesson_s) + rng.normal(0, 2_700.0, n)
        length = rng.geometric(1 / 3.8, n)
        owner = np.repeat(np.arange(n), length)
        first = np.cumsum(length) - length
        turn = np.arange(len(owner)) - first[owner]
        second = np.clip(at[owner] + turn * rng.lognormal(4.6, 0.7, len(owner)), 0, 86_399)
        arrivals = Arrivals(owner, second, owner.copy(), turn)
        follow = world.texts.conversation("chat", np.zeros(len(owner), bool), crowd.language[owner], rng)
        texts = pa.concat_arrays([follow.prompt.cast(pa.string()), homework.prompt.cast(pa.string())])
        rows = np.where(turn == 0, len(owner) + owner, np.arange(len(owner)))
        return [Traffic(arrivals=arrivals, prompt=texts.take(pa.array(rows)), output_tokens=450.0)]

    return Group(crowd, day)


def viral_prompt(world: World, n: int, rng: Rng) -> Group:
    """Ordinary people who each try a fashionable prompt once or a few times; it spreads like a fashion."""
    crowd = world.enrol(Profile(kind="viral_prompt", age_days=(2, 800)), n, rng)
    fashion = world.texts.templates("viral", 1, rng)
    # Logistic growth over the simulated nights: the day on which each person meets the prompt.
    met = np.clip(world.n_days * 0.55 + rng.logistic(0, world.n_days * 0.15, n), 0, world.n_days - 1)
    met_day = met.astype(np.int64)

    def day(night: Night) -> list[Traffic]:
        number, rng = night.number, night.rng
        usual = sittings(0.6 * crowd.zest, 3.0, 75.0, crowd.utc_offset_h, rng)
        tries = sittings(np.where(met_day == number, 1.2, 0.0), 1.0, 60.0, crowd.utc_offset_h, rng)
        tried = fashion.prompts(np.zeros(len(tries), np.int64), rng)
        talk = world.texts.conversation("chat", usual.starts, crowd.language[usual.account], rng)
        texts = pa.concat_arrays([talk.prompt.cast(pa.string()), tried.prompt.cast(pa.string())])
        return [Traffic(arrivals=together(usual, tries), prompt=texts)]

    return Group(crowd, day)


def _lesson_day(world: World) -> int:
    return min(1, world.n_days - 1)


def _own_payments_and_orgs(accounts: pa.Table, *, number_of_days_later: int) -> pa.Table:
    """Students are no organisation and pay nothing; they sign up on the day of the lesson."""
    shifted = pa.array(
        np.asarray(accounts["created_at"].to_numpy()).astype("datetime64[us]")
        + np.timedelta64(number_of_days_later * 24 + 14, "h"),
        pa.timestamp("us", tz="UTC"),
    )
    n = accounts.num_rows
    for name, column in (
        ("created_at", shifted),
        ("org_id", pa.nulls(n, pa.string())),
        ("payment_fingerprint", pa.nulls(n, pa.string())),
    ):
        accounts = accounts.set_column(accounts.schema.get_field_index(name), name, column)
    return accounts


def _talk(
    world: World,
    language: np.ndarray,
    arrivals: Arrivals,
    theme: str,
    rng: Rng,
    *,
    output_tokens: float = 380.0,
) -> Traffic:
    texts: Prompts = world.texts.conversation(theme, arrivals.starts, language[arrivals.account], rng)
    return Traffic(arrivals=arrivals, prompt=texts.prompt, system=texts.system, output_tokens=output_tokens)
