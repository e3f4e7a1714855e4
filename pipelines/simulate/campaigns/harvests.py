"""Campaign kinds that differ in how hard they drive how many accounts.

Here: synchronised, low_and_wide, high_and_narrow, burst, lone_extractor, multilingual. Not here: kinds that
hide behind customers (fronts), kinds known by their technique (techniques).
"""

from collections.abc import Sequence
from dataclasses import replace

from pipelines.simulate.campaigns.plan import Asks, Style, Task
from pipelines.simulate.campaigns.profiles import EAST, USUAL
from pipelines.simulate.campaigns.set_up import Tools, set_up
from pipelines.simulate.group import Group, World
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.grammar import LANGUAGES, Rng

BURST_NIGHTS = 3
"""A burst without a last night of its own goes on so long."""


def synchronised(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Reasoning traces, rubric grades and safe rewrites from one work queue, dealt evenly around the clock.

    Accounts share payment instruments in groups. The load has its own pulse (a job starts, a job ends)
    and no day or night; whichever account rested longest gets the next item.
    """

    def tasks(tools: Tools) -> Sequence[Task]:
        return (
            Task(work=tools.work("reasoning", n_frames=2), asks=Asks(output_tokens=900.0), share=0.6),
            Task(work=tools.work("grading"), asks=Asks(output_tokens=260.0), share=0.3),
            Task(work=tools.work("safety_rewrite"), asks=Asks(output_tokens=420.0), share=0.1),
        )

    profile = replace(USUAL, countries=EAST, accounts_per_payment=6, system=0.15)
    style = Style(jobs=True, cool_down_s=300.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def low_and_wide(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """A few requests per account and day over many accounts; one fixed extraction instruction.

    Residential addresses and payments of their own, local day and night: only the text is shared.
    """

    def tasks(tools: Tools) -> Sequence[Task]:
        return (Task(work=tools.work("extract")),)

    profile = replace(
        USUAL,
        age_days=(1, 45),
        clients=("sdk", "web"),
        addresses=(1, 2),
        plans=(("plus", 0.7), ("api", 0.3)),
        verified=0.2,
        temperatures=(None, None, 0.7, 0.8, 1.0),
        max_tokens=(None, None, 2_048, 4_096, 8_192),
        sessions=0.5,
    )
    style = Style(clock="local", even=False, attendance=0.9, cool_down_s=600.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def high_and_narrow(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Some hundred requests an hour over few accounts: new tasks, judging, cleaning, reasoning.

    A banned account is missed for a night before the next one is bought.
    """

    def tasks(tools: Tools) -> Sequence[Task]:
        return (
            Task(work=tools.work("instruction_generation"), asks=Asks(output_tokens=700.0), share=0.35),
            Task(work=tools.work("judging"), asks=Asks(output_tokens=220.0), share=0.3),
            Task(work=tools.work("trace_cleaning"), asks=Asks(output_tokens=900.0), share=0.2),
            Task(work=tools.work("reasoning"), asks=Asks(output_tokens=1_000.0), share=0.15),
        )

    profile = replace(
        USUAL, countries=EAST, addresses=(2, 5), accounts_per_payment=3, plans=(("api", 0.8), ("pro", 0.2))
    )
    style = Style(
        clock="flat",
        attendance=0.95,
        jobs=True,
        rotates_every=2,
        delay_nights=1,
        trips=0.004,
        cool_down_s=60.0,
    )
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def burst(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Everything at once for a few days, then silence; the pool was bought weeks before."""
    ends = spec.begins + BURST_NIGHTS - 1 if spec.ends is None else spec.ends
    spec = spec.model_copy(update={"ends": ends})

    def tasks(tools: Tools) -> Sequence[Task]:
        return (
            Task(work=tools.work("reasoning", n_frames=2), asks=Asks(output_tokens=1_100.0), share=0.6),
            Task(work=tools.work("coding"), asks=Asks(output_tokens=1_300.0), share=0.4),
        )

    profile = replace(
        USUAL, age_days=(15, 90), countries=EAST, accounts_per_payment=2, plans=(("api", 0.9), ("pro", 0.1))
    )
    style = Style(clock="flat", attendance=0.99, trips=0.003, cool_down_s=600.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def lone_extractor(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """One big account without partners; banned, it comes back under another name and payment."""

    def tasks(tools: Tools) -> Sequence[Task]:
        return (
            Task(work=tools.work("reasoning"), asks=Asks(output_tokens=1_000.0), share=0.7),
            Task(work=tools.work("extract"), asks=Asks(output_tokens=800.0), share=0.3),
        )

    profile = replace(USUAL, age_days=(5, 120), addresses=(1, 2), plans=(("api", 0.8), ("pro", 0.2)))
    style = Style(clock="shifts", even=False, attendance=1.0, trips=0.004, cool_down_s=1_800.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def multilingual(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """One order in many languages, each account in one of them: reasoning in that language, thinking on."""

    def tasks(tools: Tools) -> Sequence[Task]:
        return (Task(work=tools.work("reasoning"), asks=Asks(thinking=True, output_tokens=900.0)),)

    profile = replace(USUAL, addresses=(1, 3), thinking=(True,), temperatures=(None, 0.7, 1.0))
    style = Style(clock="pulse", attendance=0.95, cool_down_s=600.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks, languages=LANGUAGES).group()
