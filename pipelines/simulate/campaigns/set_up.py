"""From what a campaign kind decides to a campaign at work.

Here: `set_up`, which enrols the accounts and settles the plan, and `Tools`, which kinds write their tasks
with. Evasions that change accounts, pace and pool come in here. Not here: the nights (operation).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate import evasions as hiding
from pipelines.simulate.campaigns.cover import personas
from pipelines.simulate.campaigns.ledger import planned
from pipelines.simulate.campaigns.operation import Operation
from pipelines.simulate.campaigns.plan import Style, Task, Team
from pipelines.simulate.campaigns.roster import Roster, Rotation, muster
from pipelines.simulate.group import World
from pipelines.simulate.population import Crowd, Profile, random_ids
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts import Work
from pipelines.simulate.texts.grammar import LANGUAGES, Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a kind needs to write its tasks."""

    world: World
    spec: CampaignSpec
    rng: Rng
    languages: tuple[str, ...]
    n_nights: int

    def work(self, theme: str, *, n_frames: int = 1) -> Work:
        """Instructions and queue of a theme, in the campaign's languages."""
        return self.world.texts.work(theme, self.rng, n_frames=n_frames, languages=self.languages)


def set_up(
    world: World,
    spec: CampaignSpec,
    rng: Rng,
    *,
    profile: Profile,
    style: Style,
    tasks: Callable[[Tools], Sequence[Task]] | None = None,
    teams: Callable[[Tools, Ints], Sequence[Team]] | None = None,
    parts: tuple[int, ...] | None = None,
    languages: tuple[str, ...] = ("en",),
    cover: float | None = None,
) -> Operation:
    """Enrol the accounts of a campaign and settle its plan.

    Parameters
    ----------
    tasks : writes the tasks of a campaign in which everybody does everything
    teams : instead of `tasks`; is also given the part of each place
    parts : places of each part of the pool; one part of `spec.accounts` unless given
    cover : instead of the scenario's share
    """
    # Streams of their own: an evasion of the accounts leaves words and amounts as they were.
    for_words, for_pace, for_people, for_pool = rng.spawn(4)
    hidden = spec.evasions
    style = _hidden_style(style, hidden)
    spoken = tuple(dict.fromkeys((*languages, *hiding.ABROAD))) if "languages" in hidden else languages
    places = (spec.accounts,) if parts is None else parts
    tools = Tools(world=world, spec=spec, rng=for_words, languages=spoken, n_nights=world.n_days)
    plan = _plan(tools, np.repeat(np.arange(len(places)), places), tasks, teams)
    nightly = _swing(world, spec, for_pace)
    pace = hiding.paced(spec.requests_per_day, spec.cover if cover is None else cover, hidden, for_pace)
    nightly = nightly * pace.harvested
    roster, part = _pool(world, spec, style, places, for_pool)
    crowd = _crowd(world, spec, profile, len(part), for_people)
    _pay_in_groups(crowd, profile, spec, sum(places), for_people)
    return Operation(
        world=world,
        spec=spec,
        crowd=crowd,
        part=part,
        roster=roster,
        style=style,
        teams=plan,
        ledgers=[[planned(nightly * team.places.sum() * task.share) for task in team.tasks] for team in plan],
        cover=pace.cover,
        n_languages=len(spoken),
        tongue=_tongues(crowd, spoken, rng),
        persona=personas(world.texts, len(crowd), rng),
        restless=rng.random(len(crowd)) < 0.2,
        habits=hiding.habits(len(crowd), rng),
        throttled_to=max(1, hiding.FEW_A_NIGHT // _most_teams(plan)) if "throttling" in hidden else 0,
    )


def _hidden_style(style: Style, hidden: hiding.Evasions) -> Style:
    style = replace(
        style,
        attendance=hiding.attendance(style.attendance, hidden),
        clock="local" if "day_night" in hidden else style.clock,
    )
    if "throttling" in hidden:
        # Few requests an account, so evenly that nobody gets a third; nor does anybody meet a limit.
        return replace(style, even=True, trips=0.0, talk="small")
    return replace(style, talk="own") if "cover_traffic" in hidden else style


def _plan(
    tools: Tools,
    part: Ints,
    tasks: Callable[[Tools], Sequence[Task]] | None,
    teams: Callable[[Tools, Ints], Sequence[Team]] | None,
) -> Sequence[Team]:
    if teams is not None:
        plan = teams(tools, part)
    elif tasks is not None:
        plan = (Team(places=np.ones(len(part), bool), tasks=tuple(tasks(tools))),)
    else:
        raise ValueError("a campaign needs tasks or teams")
    looker = tools.rng.spawn(1)[0]
    return [
        replace(
            team,
            tasks=tuple(
                replace(task, whole=hiding.speaks_for_itself(task.work, looker)) for task in team.tasks
            ),
        )
        for team in plan
    ]


def _pool(
    world: World, spec: CampaignSpec, style: Style, places: tuple[int, ...], rng: Rng
) -> tuple[Roster, Ints]:
    last = world.n_days if spec.ends is None else min(world.n_days, spec.ends)
    return muster(
        places,
        (spec.begins - 1, max(last, spec.begins) - 1),
        rng,
        delay_nights=style.delay_nights,
        rotation=_rotation(style, spec.evasions, rng.spawn(1)[0]),
        scattered="residential" in spec.evasions,
    )


def _crowd(world: World, spec: CampaignSpec, profile: Profile, n: int, rng: Rng) -> Crowd:
    described = replace(
        hiding.disguised_profile(profile, spec.evasions),
        kind=spec.kind,
        campaign=spec.name,
        regime=spec.reported_regime,
        evasions=tuple(spec.evasions),
    )
    crowd = world.enrol(described, n, rng)
    hiding.disguise_accounts(crowd, spec.evasions, rng)
    return crowd


def _pay_in_groups(crowd: Crowd, profile: Profile, spec: CampaignSpec, n_first: int, rng: Rng) -> None:
    """First holders share payments among themselves; newcomers bring new ones, shared by who comes along."""
    per = hiding.disguised_profile(profile, spec.evasions).accounts_per_payment
    if per == 1:
        return
    n = len(crowd)
    first = rng.permutation(np.arange(n_first) // per)
    later = -(-n_first // per) + np.arange(n - n_first) // per
    group = np.concatenate((first, later))
    payments = random_ids("pay_", int(group.max()) + 1, rng, 14).take(pa.array(group))
    place = crowd.accounts.schema.get_field_index("payment_fingerprint")
    crowd.accounts = crowd.accounts.set_column(place, "payment_fingerprint", payments)


def _rotation(style: Style, hidden: hiding.Evasions, rng: Rng) -> Rotation | None:
    every = int(rng.integers(*hiding.ROTATED_AFTER)) if "rotation" in hidden else style.rotates_every
    return Rotation(every) if every else None


def _most_teams(teams: Sequence[Team]) -> int:
    """Teams that one place serves, at most."""
    return int(np.sum([team.places for team in teams], axis=0).max())


def _swing(world: World, spec: CampaignSpec, rng: Rng) -> Floats:
    """Load of each night of the world, 1 on average; 0 when the campaign does not work."""
    load = np.clip(rng.normal(1.0, 0.03, world.n_days), 0.9, 1.1)
    for number in range(world.n_days):
        if not spec.works_on(number):
            load[number] = 0.0
        elif "day_night" in spec.evasions:
            load[number] *= world.bustle(number, hiding.WEEKEND)
    return np.asarray(load)


def _tongues(crowd: Crowd, spoken: tuple[str, ...], rng: Rng) -> Ints:
    """The language of each account's instruction: that of its country where it is among them, else any."""
    table = np.array([spoken.index(code) if code in spoken else -1 for code in LANGUAGES], np.int64)
    own = table[crowd.language]
    drawn = rng.integers(0, len(spoken), len(crowd))
    return np.where((own >= 0) & (rng.random(len(crowd)) < 0.3), own, drawn).astype(np.int64)
