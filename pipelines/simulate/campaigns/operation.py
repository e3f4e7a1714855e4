"""A campaign at work: what all kinds share, from the pool of accounts to the requests of a night.

Here: `Operation`. The order of a night: who holds the places (roster), which block of the queue is due
(ledger), who gets it when (dispatch), in which words (texts, evasions), what is asked with it (plan), what
fails. Not here: any particular kind, how an operation is made (set_up).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate import evasions as hiding
from pipelines.simulate.campaigns.cover import Talk, small_talk
from pipelines.simulate.campaigns.dispatch import (
    Customers,
    Sent,
    conversations,
    customers,
    fail_over,
    spread,
    squeezed,
)
from pipelines.simulate.campaigns.ledger import Ledger
from pipelines.simulate.campaigns.plan import Asks, Style, Task, Team
from pipelines.simulate.campaigns.roster import Roster, Shift
from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.population import Crowd
from pipelines.simulate.rhythm import Arrivals
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.grammar import Rng, join
from pipelines.simulate.traffic import Traffic

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_TURNS = 3.2
"""Mean messages of a conversation used as cover."""
_MOST_ROWS = 200_000
"""Requests worded at a time: an Arrow column of strings ends at two gigabytes."""
_JOB_S = 10_800.0
"""Length of one round of jobs, where tasks take turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A campaign: its accounts, its plan, and how it hides."""

    world: World
    spec: CampaignSpec
    crowd: Crowd
    part: Ints
    """shape (n_accounts,); the part of the pool each account belongs to."""
    roster: Roster
    style: Style
    teams: Sequence[Team]
    ledgers: Sequence[Sequence[Ledger]]
    """Per team and task."""
    cover: float
    n_languages: int
    tongue: Ints
    """shape (n_accounts,); the language of the instruction each account sends."""
    persona: pa.Array
    """shape (n_accounts,); system prompt of the person each account plays in its own cover, null for none."""
    restless: Flags
    """shape (n_accounts,); accounts that vary their temperature."""
    habits: hiding.Habits
    throttled_to: int
    """Most requests of an account and team in a night; 0 is any number."""

    def group(self) -> Group:
        """What the world needs of it."""
        works = tuple(task.work for team in self.teams for task in team.tasks)
        return Group(self.crowd, self.day, self.roster.signups, works)

    def day(self, night: Night) -> list[Traffic]:
        """Requests of a night."""
        if not self.spec.works_on(night.number):
            return []
        shift = self.roster.shift(night.number, night.banned_on)
        at_work = night.rng.random(len(shift.holder)) < self.style.attendance
        pace = self.style.slow_after_bans if shift.lost.any() else 1.0
        traffic: list[Traffic] = []
        for team, ledgers in zip(self.teams, self.ledgers, strict=True):
            held = team.places & (shift.holder >= 0)
            staff = held & at_work if (held & at_work).any() else held
            if held.any():
                share = pace * held.sum() / team.places.sum()
                traffic += self._night_of(team, ledgers, shift, staff, share, night)
        return [one for one in traffic if len(one.arrivals) > 0]

    def _night_of(
        self, team: Team, ledgers: Sequence[Ledger], shift: Shift, staff: Flags, share: float, night: Night
    ) -> list[Traffic]:
        rng = night.rng
        accounts = rng.permutation(shift.holder[staff])
        since = np.zeros(len(self.crowd))
        since[shift.holder[staff]] = shift.since_s[staff]
        blocks = [ledger.block(night.number) for ledger in ledgers]
        amounts = [(first, round(n * share)) for first, n in blocks]
        n = sum(amount for _, amount in amounts)
        if n == 0:
            return []
        n_cover = round(n * self.cover / (1.0 - self.cover))
        if self.throttled_to:
            # Never more than so many for each, also on a night on which few are at work.
            scale = min(1.0, self.throttled_to * len(accounts) / (n + n_cover))
            amounts = [(first, int(amount * scale)) for first, amount in amounts]
            n, n_cover = sum(amount for _, amount in amounts), int(n_cover * scale)
        scene = _Scene(night, accounts, since)
        if team.of_customers:
            return self._relayed(team.tasks[0], n, n_cover, scene)
        if self.style.talk == "small":
            return self._dealt(team, amounts, n_cover, scene)
        return [*self._dealt(team, amounts, 0, scene), *self._talk(n_cover, scene)]

    def _dealt(
        self, team: Team, amounts: list[tuple[int, int]], n_cover: int, scene: "_Scene"
    ) -> list[Traffic]:
        """The queue, dealt over accounts, with small talk in between."""
        rng = scene.rng
        n = n_cover + sum(amount for _, amount in amounts)
        arrivals = spread(self.style, n, scene.staff, self._offsets(scene), rng)
        arrivals = _at(arrivals, squeezed(arrivals.second, scene.since_s[arrivals.account]))
        job = self._jobs(arrivals, [amount for _, amount in amounts], n_cover, rng)
        traffic = []
        for at, (task, (first, _)) in enumerate(zip(team.tasks, amounts, strict=True)):
            rows = np.flatnonzero(job == at)
            place = np.empty(len(rows), np.int64)
            place[np.argsort(arrivals.second[rows], kind="stable")] = first + np.arange(len(rows))
            item = place if task.pick is None else task.pick(scene.number, place)
            for begin in range(0, len(rows), _MOST_ROWS):
                part = slice(begin, begin + _MOST_ROWS)
                traffic.append(self._sent(task, _some(arrivals, rows[part]), item[part], None, scene))
        talk = small_talk(self.world.texts, self.crowd, _some(arrivals, np.flatnonzero(job < 0)), rng)
        return [*traffic, self._covering(talk, scene)]

    def _jobs(self, arrivals: Arrivals, amounts: list[int], n_cover: int, rng: Rng) -> Ints:
        """The task of each request, -1 for small talk: exactly so many of each, mixed or in turns."""
        n = len(arrivals)
        job = np.full(n, -1)
        working = rng.permutation(n)[n_cover:]
        turn = arrivals.second[working] % _JOB_S if self.style.jobs else rng.random(len(working))
        job[working[np.argsort(turn, kind="stable")]] = np.repeat(np.arange(len(amounts)), amounts)
        return job

    def _relayed(self, task: Task, n: int, n_cover: int, scene: "_Scene") -> list[Traffic]:
        """Customers' conversations, the instruction put around every message of most of them."""
        people = self._customers(n + n_cover, scene)
        talk = Talk.of_customers(self.world.texts, people, scene.rng)
        n_conversations = int(people.conversation.max(initial=-1)) + 1
        spared = scene.rng.random(n_conversations) < n_cover / max(1, n + n_cover)
        harvested = np.flatnonzero(~spared[people.conversation])
        mine = talk.take(harvested)
        return [
            self._sent(task, mine.arrivals, np.arange(len(harvested)), mine, scene),
            self._covering(talk.take(np.flatnonzero(spared[people.conversation])), scene),
        ]

    def _talk(self, n: int, scene: "_Scene") -> list[Traffic]:
        """Cover in whole conversations."""
        if n == 0:
            return []
        if self.style.talk == "customers":
            talk = Talk.of_customers(self.world.texts, self._customers(n, scene), scene.rng)
        else:
            people = conversations(n, scene.staff, self._offsets(scene), _TURNS, scene.rng)
            people = self._in_their_hours(people, scene)
            talk = Talk.of_accounts(self.world.texts, people, self.crowd.language, self.persona, scene.rng)
        return [self._covering(talk, scene)]

    def _customers(self, n: int, scene: "_Scene") -> Customers:
        """Messages of a relay's customers, and the accounts they are dealt to."""
        if self.throttled_to:
            arrivals = spread(self.style, n, scene.staff, self._offsets(scene), scene.rng)
            people = Customers(arrivals, arrivals.session)
        elif self.style.clock == "local":
            people = conversations(n, scene.staff, self._offsets(scene), _TURNS, scene.rng)
        else:
            people = customers(n, scene.staff, _TURNS, scene.rng)
        return self._in_their_hours(people, scene)

    def _offsets(self, scene: "_Scene") -> Ints:
        return self.crowd.utc_offset_h[scene.staff]

    def _in_their_hours(self, people: Customers, scene: "_Scene") -> Customers:
        since = scene.since_s[people.arrivals.account]
        return replace(people, arrivals=_at(people.arrivals, squeezed(people.arrivals.second, since)))

    def _sent(
        self, task: Task, arrivals: Arrivals, item: Ints, talk: Talk | None, scene: "_Scene"
    ) -> Traffic:
        """Requests of one task: worded, asked, and sent again where they failed."""
        rng, who = scene.rng, arrivals.account
        template = rng.integers(0, max(1, task.work.n_frames // self.n_languages), len(who))
        frame = template * self.n_languages + self.tongue[who]
        framed = task.work.texts(frame, item, rng)
        if talk is not None:
            framed = replace(framed, payload=talk.message)
        # A stream of its own: hidden or not, the same requests go to the same accounts.
        (secret,) = rng.spawn(1)
        mine = task.whole and talk is None
        hidden = hiding.worded(framed, self.spec.evasions, self._padding, secret, rewrite_items=mine)
        texts = hidden.joined()
        sent = fail_over(arrivals, scene.staff, scene.since_s, self.style, rng)
        rows = pa.array(sent.row)
        system = texts.system if talk is None else _both(texts.system, talk.persona)
        traffic = Traffic(
            arrivals=_resent(arrivals, sent),
            prompt=texts.prompt.cast(pa.string()).take(rows),
            system=None if system is None else system.cast(pa.string()).take(rows),
            output_tokens=task.asks.output_tokens,
            refused=task.asks.refused,
            response_format=task.asks.response_format,
            temperature=self._temperature(who, rng)[sent.row],
            failed=sent.failed,
            attempt=np.where(~sent.retried & (rng.random(len(sent.row)) < 0.006), 2, 1),
        )
        _ask(traffic, task.asks, whole=talk is None, rng=rng)
        if talk is not None:
            traffic.n_turns = (arrivals.turn * 2 + 1)[sent.row]
            self._name_customers(traffic, talk.take(sent.row))
        return self._hidden(traffic, scene)

    def _covering(self, talk: Talk, scene: "_Scene") -> Traffic:
        traffic = Traffic(
            arrivals=talk.arrivals, prompt=talk.message, system=talk.persona, answers_like="conversation"
        )
        self._name_customers(traffic, talk)
        return self._hidden(traffic, scene)

    def _name_customers(self, traffic: Traffic, talk: Talk) -> None:
        if self.style.passes_ids and talk.person is not None:
            traffic.end_user, traffic.end_users_roam = talk.person, True

    def _hidden(self, traffic: Traffic, scene: "_Scene") -> Traffic:
        (secret,) = scene.rng.spawn(1)
        if "parameter_jitter" in self.spec.evasions:
            hiding.jitter(traffic, self.crowd, self.habits, secret)
        if "residential" in self.spec.evasions:
            hiding.addresses_by_hour(traffic, scene.number)
        return traffic

    def _padding(self, n: int, rng: Rng) -> pa.Array:
        talk = self.world.texts.conversation("chat", np.ones(n, bool), np.zeros(n, np.int64), rng)
        return talk.prompt.cast(pa.string())

    def _temperature(self, who: Ints, rng: Rng) -> Floats:
        varied = hiding.WARMTHS[rng.integers(0, len(hiding.WARMTHS), len(who))]
        return np.asarray(np.where(self.restless[who], varied, self.crowd.temperature[who]))


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who is at work on a night."""

    night: Night
    staff: Ints
    """Accounts, in the order in which they are dealt to."""
    since_s: Floats
    """shape (n_accounts,)."""

    @property
    def rng(self) -> Rng:
        return self.night.rng

    @property
    def number(self) -> int:
        return self.night.number


def _ask(traffic: Traffic, asks: Asks, *, whole: bool, rng: Rng) -> None:
    """Put a task's own parameters on its requests."""
    n = len(traffic.arrivals)
    if asks.temperature is not None:
        traffic.temperature = np.full(n, asks.temperature)
    for name in ("max_tokens", "n_choices", "top_logprobs", "n_logit_bias"):
        value = getattr(asks, name)
        if value is not None:
            setattr(traffic, name, np.full(n, value, np.int64))
    if asks.thinking is not None:
        traffic.thinking = np.full(n, int(asks.thinking), np.int64)
    if asks.n_images:
        traffic.n_images = np.full(n, asks.n_images, np.int64)
    if asks.toolsets:
        traffic.toolset = np.array(asks.toolsets, np.int64)[traffic.arrivals.account % len(asks.toolsets)]
    if whole and asks.steps > 1.0:
        traffic.n_turns = 2 * rng.geometric(1.0 / asks.steps, n) - 1


def _both(instruction: pa.Array | None, persona: pa.Array | None) -> pa.Array | None:
    """System prompts of an operator and of its customers, one above the other; null where neither is."""
    if instruction is None or persona is None:
        return persona if instruction is None else instruction
    one, other = instruction.cast(pa.string()), persona.cast(pa.string())
    return pc.coalesce(join([one, "\n\n", other], len(one)), one, other)


def _at(arrivals: Arrivals, second: Floats) -> Arrivals:
    return replace(arrivals, second=second)


def _some(arrivals: Arrivals, rows: Ints) -> Arrivals:
    """Some of the requests, each a session of its own."""
    return Arrivals(arrivals.account[rows], arrivals.second[rows], np.arange(len(rows)), arrivals.turn[rows])


def _resent(arrivals: Arrivals, sent: Sent) -> Arrivals:
    """Arrivals after fail-over; what a sibling took over is a session of its own there."""
    session = arrivals.session[sent.row]
    elsewhere = np.flatnonzero(sent.account != arrivals.account[sent.row])
    first = int(session.max()) + 1 if len(session) else 0
    session[elsewhere] = first + np.arange(len(elsewhere))
    return Arrivals(sent.account, sent.second, session, arrivals.turn[sent.row])
