"""Campaign kinds known by their technique: what is asked again and again, or with which parameters.

Here: probe_sweep, multi_sample, soft_labels, weakness_driven, trace_cleaning. Not here: kinds that differ
in rate (harvests) or hide behind customers (fronts).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.campaigns.plan import Asks, Style, Task
from pipelines.simulate.campaigns.profiles import EAST, USUAL
from pipelines.simulate.campaigns.set_up import Tools, set_up
from pipelines.simulate.group import Group, World
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts import Framed, Work
from pipelines.simulate.texts.grammar import Rng, join

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SWEEP_REFUSED, WINNER_REFUSED = 0.88, 0.04
SAMPLES = 8
"""Answers wanted for each item of `multi_sample`."""
FOCUS = (0.3, 0.6, 0.8, 0.9)
"""Share of a night's items in the chosen area of `weakness_driven`, by rounds in it."""
_STAYS = 0.85
"""Chance that the next round finds the same area weakest."""


@dataclass(frozen=True, slots=True)
class Winner:
    """The trick that worked, in front of other work."""

    trick: str
    other: Work

    @property
    def n_items(self) -> int:
        return self.other.n_items

    @property
    def n_frames(self) -> int:
        return self.other.n_frames

    @property
    def areas(self) -> Ints:
        return self.other.areas

    def texts(self, frame: Ints, item: Ints, rng: Rng) -> Framed:
        """Items of the other work behind the trick."""
        framed = self.other.texts(frame, item, rng)
        n = len(framed)
        before, payload = join([self.trick, "\n\n"], n), framed.payload.cast(pa.string())
        return Framed(before, payload, join([""], n), framed.system)


def probe_sweep(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Thousands of different tricks, most of them refused; on the following nights the winner, scaled up."""

    def tasks(tools: Tools) -> Sequence[Task]:
        tricks = tools.work("probe")
        number = rng.integers(0, tricks.n_items, 1)
        won = tricks.texts(np.zeros(1, np.int64), number, rng).joined()
        winner = Winner(str(won.prompt[0].as_py()), tools.work("reasoning"))
        sweeping = np.arange(tools.n_nights) < spec.begins - 1 + _sweep_nights(tools)
        return (
            Task(
                work=tricks,
                asks=Asks(output_tokens=260.0, refused=SWEEP_REFUSED),
                share=sweeping.astype(np.float64),
            ),
            Task(
                work=winner,
                asks=Asks(output_tokens=1_100.0, refused=WINNER_REFUSED),
                share=(~sweeping).astype(np.float64),
            ),
        )

    profile = replace(USUAL, temperatures=(1.0, 0.7, None), countries=EAST, accounts_per_payment=2)
    style = Style(clock="pulse", attendance=0.95, cool_down_s=1_800.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def _sweep_nights(tools: Tools) -> int:
    """One night of sweeping in a short campaign, two in a longer one."""
    last = tools.n_nights if tools.spec.ends is None else min(tools.n_nights, tools.spec.ends)
    return 1 if last - tools.spec.begins < 4 else 2


def multi_sample(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Every item many times over at temperature 1: with n choices, or sent again over sibling accounts."""

    def tasks(tools: Tools) -> Sequence[Task]:
        work = tools.work("multi_sample")
        half = work.n_items // 2

        def repeated(number: int, place: Ints) -> Ints:
            return place // SAMPLES

        def once(number: int, place: Ints) -> Ints:
            return half + place  # the other half of the queue, so that no item is asked in both ways

        again = Asks(temperature=1.0, output_tokens=700.0)
        at_once = Asks(temperature=1.0, n_choices=SAMPLES, output_tokens=700.0 * SAMPLES)
        return (
            Task(work=work, asks=again, share=0.7, pick=repeated),
            Task(work=work, asks=at_once, share=0.3, pick=once),
        )

    profile = replace(USUAL, addresses=(1, 3), accounts_per_payment=3, plans=(("api", 1.0),))
    style = Style(clock="pulse", cool_down_s=60.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def soft_labels(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Classification items for the probabilities: log-probs, a biased vocabulary, an answer of one token."""

    def tasks(tools: Tools) -> Sequence[Task]:
        n_bias = int(rng.integers(2, 8))
        plain = Asks(temperature=0.0, max_tokens=1, top_logprobs=20, output_tokens=1.0)
        biased = Asks(temperature=0.0, max_tokens=8, top_logprobs=5, n_logit_bias=n_bias, output_tokens=2.0)
        return (
            Task(work=tools.work("soft_label"), asks=plain, share=0.6),
            Task(work=tools.work("soft_label"), asks=biased, share=0.4),
        )

    profile = replace(USUAL, plans=(("api", 1.0),), thinking=(None, False), accounts_per_payment=2)
    style = Style(clock="flat", cool_down_s=60.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


@dataclass(frozen=True, slots=True)
class Rounds:
    """A student's weakness, night by night: where its teacher is asked next."""

    areas: Ints
    """First item of each area, and the number of items at the end."""
    focus: Ints
    """shape (n_nights,); the area that the round before found weakest."""
    share: Floats
    """shape (n_nights,); how much of a night's work lies in it; 0 in the first round."""

    def pick(self, number: int, place: Ints) -> Ints:
        """Places of the queue to items: by a fixed rule, so many of every hundred lie in the chosen area.

        A place stands for one item of each area: an item comes again, at the earliest, after as many places
        as its area has items.
        """
        size = np.diff(self.areas)
        narrow = (place * 61) % 100 < self.share[number] * 100
        elsewhere = place % len(size)
        area = np.where(narrow, self.focus[number], elsewhere)
        return self.areas[area] + place % size[area]


def weakness_driven(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Round by round: what the student got wrong last night is asked more of tonight."""

    def tasks(tools: Tools) -> Sequence[Task]:
        work = tools.work("weakness")
        rounds = _rounds(np.append(work.areas, work.n_items), tools, rng)
        return (Task(work=work, asks=Asks(output_tokens=800.0), pick=rounds.pick),)

    profile = replace(USUAL, countries=EAST, accounts_per_payment=4)
    style = Style(clock="shifts", cool_down_s=300.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def _rounds(areas: Ints, tools: Tools, rng: Rng) -> Rounds:
    n_areas = len(areas) - 1
    focus, share = np.zeros(tools.n_nights, np.int64), np.zeros(tools.n_nights)
    area, rounds = int(rng.integers(n_areas)), 0
    for number in range(tools.spec.begins, tools.n_nights):  # the night after the first
        if rounds and rng.random() >= _STAYS:
            area, rounds = (area + int(rng.integers(1, n_areas))) % n_areas, 0
        focus[number], share[number] = area, FOCUS[min(rounds, len(FOCUS) - 1)]
        rounds += 1
    return Rounds(areas, focus, share)


def trace_cleaning(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Captured reasoning comes back to be normalised; what was cleaned is judged in the same night."""

    def tasks(tools: Tools) -> Sequence[Task]:
        return (
            Task(work=tools.work("trace_cleaning"), asks=Asks(output_tokens=1_200.0), share=0.7),
            Task(work=tools.work("judging"), asks=Asks(output_tokens=180.0), share=0.3),
        )

    profile = replace(
        USUAL, countries=EAST, addresses=(2, 4), accounts_per_payment=3, temperatures=(0.0, 0.3, None)
    )
    style = Style(clock="flat", attendance=0.95, jobs=True, trips=0.006, cool_down_s=60.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()
