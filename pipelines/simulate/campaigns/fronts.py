"""Campaign kinds that hide behind other customers, many paths or each other.

Here: pivot, multi_path, hydra, relay, shared_pool. Not here: kinds that differ in rate (harvests), kinds
known by their technique (techniques).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.campaigns.operation import Operation
from pipelines.simulate.campaigns.plan import Asks, Style, Task, Team
from pipelines.simulate.campaigns.profiles import EAST, USUAL
from pipelines.simulate.campaigns.set_up import Tools, set_up
from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.group import Group, World
from pipelines.simulate.population import Crowd
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.grammar import Rng

Ints = npt.NDArray[np.int64]

HYDRA_COVER = (0.60, 0.95)
"""Share of a hydra's requests that are its other customers': it resells what it does not use."""
OVERLAP = 0.25
"""Share of a shared pool's accounts that serve both campaigns."""
FOSSILS = 3
"""Client versions a relay has stored for its accounts, and never renews."""
_N_FRAMEWORKS = len(load_catalog().frameworks)
_CLICKER, _LOOKUP = _N_FRAMEWORKS + 1, _N_FRAMEWORKS + 3
"""Tool lists that honest test suites and applications send, too."""


def pivot(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Tool-use and coding trajectories; within a day of a new model half of the work moves to it."""

    def tasks(tools: Tools) -> Sequence[Task]:
        asks = Asks(toolsets=(_CLICKER, _LOOKUP), steps=3.3, output_tokens=1_100.0)
        return (
            Task(work=tools.work("trajectory", n_frames=2), asks=asks, share=0.7),
            Task(work=tools.work("tool_use"), asks=asks, share=0.3),
        )

    profile = replace(
        USUAL,
        age_days=(3, 80),
        countries=("SG", "US", "HK", "JP", "TW", "DE", "FR", "GB"),
        addresses=(1, 4),
        accounts_per_payment=2,
        plans=(("api", 0.6), ("pro", 0.4)),
        verified=0.35,
        temperatures=(1.0, 1.0, 1.0, None, 0.8),
        max_tokens=(8_192, 8_192, 8_192, 16_384),
        sessions=0.4,
        moves=1.0,
        move_share=(0.44, 0.56),
        move_delay=(0, 0),
    )
    style = Style(clock="shifts", even=False, attendance=0.95, cool_down_s=300.0)
    return set_up(world, spec, rng, profile=profile, style=style, tasks=tasks).group()


def multi_path(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Many account types and ways in at once, each with work of its own, so that no two look alike.

    After bans the operator holds back for a night: half the rate.
    """

    def teams(tools: Tools, part: Ints) -> Sequence[Team]:
        paths = (
            ("tool_use", Asks(toolsets=(_LOOKUP,), steps=2.5, output_tokens=500.0)),
            ("coding", Asks(toolsets=tuple(range(3)), steps=3.0, output_tokens=1_200.0)),
            ("data_analysis", Asks(output_tokens=900.0)),
            ("computer_use", Asks(toolsets=(_CLICKER,), steps=4.0, n_images=1, output_tokens=300.0)),
            ("vision", Asks(n_images=1, output_tokens=450.0)),
        )
        lane = np.arange(len(part)) % len(paths)
        return [
            Team(places=lane == at, tasks=(Task(work=tools.work(theme), asks=asks),))
            for at, (theme, asks) in enumerate(paths)
            if (lane == at).any()
        ]

    profile = replace(
        USUAL,
        age_days=(3, 200),
        clients=("sdk", "web", "phone"),
        addresses=(1, 4),
        plans=(("api", 0.4), ("plus", 0.25), ("pro", 0.2), ("free", 0.1), ("education", 0.05)),
        verified=0.4,
        system=0.25,
        temperatures=(None, 0.2, 0.7, 1.0),
        max_tokens=(None, 2_048, 4_096, 8_192),
        sessions=0.5,
        moves=0.6,
    )
    style = Style(clock="shifts", even=False, attendance=0.9, slow_after_bans=0.5, cool_down_s=600.0)
    return set_up(world, spec, rng, profile=profile, style=style, teams=teams).group()


def hydra(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """A reseller's pool: most of it serves ordinary customers, the rest of it harvests.

    Conversations stick to an account for an hour, then go to the one that rested longest; clients are
    frozen at what was first seen; exits are shared; banned accounts are replaced at once.
    """

    def tasks(tools: Tools) -> Sequence[Task]:
        return (
            Task(work=tools.work("extract"), share=0.6),
            Task(work=tools.work("coding"), asks=Asks(output_tokens=1_100.0), share=0.4),
        )

    profile = replace(
        USUAL,
        age_days=(1, 90),
        addresses=(2, 4),
        shared_exits=max(4, spec.accounts // 8),
        accounts_per_payment=2,
        temperatures=(None, 0.7, 1.0),
        max_tokens=(None, 4_096, 8_192),
        sessions=0.9,
    )
    cover = spec.cover if spec.cover >= HYDRA_COVER[0] else rng.uniform(*HYDRA_COVER)
    style = Style(
        clock="pulse",
        talk="customers",
        attendance=0.98,
        cool_down_s=600.0,
        passes_ids=bool(rng.random() < 0.5),
    )
    made = set_up(world, spec, rng, profile=profile, style=style, tasks=tasks, cover=cover)
    return _frozen(made, rng).group()


def relay(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Few big accounts that carry the conversations of many people, an instruction put around each message.

    Writers, languages, personas and programs of many customers speak through one account.
    """

    def teams(tools: Tools, part: Ints) -> Sequence[Team]:
        task = Task(work=tools.work("relay"), asks=Asks(output_tokens=700.0))
        return [Team(places=np.ones(len(part), bool), tasks=(task,), of_customers=True)]

    profile = replace(
        USUAL,
        age_days=(5, 150),
        addresses=(1, 2),
        shared_exits=max(2, spec.accounts // 2),
        plans=(("api", 0.6), ("pro", 0.4)),
        system=0.0,
        temperatures=(None,),
        max_tokens=(None, 8_192),
        sessions=1.0,
        moves=0.8,
    )
    style = Style(
        clock="flat",
        talk="customers",
        attendance=1.0,
        trips=0.006,
        cool_down_s=1_800.0,
        passes_ids=bool(rng.random() < 0.5),
    )
    made = set_up(world, spec, rng, profile=profile, style=style, teams=teams)
    return _frozen(made, rng).group()


def shared_pool(world: World, spec: CampaignSpec, rng: Rng) -> Group:
    """Two operators who rent from one seller: their pools overlap, their instructions and queues do not.

    Labels name `NAME-a` and `NAME-b`; an account in the overlap has a row for each.
    """
    both = round(spec.accounts * OVERLAP) if spec.accounts > 2 else 0
    only_a = -(-(spec.accounts - both) // 2)
    parts = (only_a, both, spec.accounts - both - only_a)

    def teams(tools: Tools, part: Ints) -> Sequence[Team]:
        one = tools.work("reasoning"), tools.work("grading")
        other = tools.work("trajectory"), tools.work("coding")
        # Two teams share the rate of the pool: each account sends about as much as the scenario says.
        half = spec.accounts / 2
        scale = [half / max(1, int(np.isin(part, of).sum())) for of in ((0, 1), (1, 2))]
        asks = Asks(toolsets=(_CLICKER, _LOOKUP), steps=3.0, output_tokens=1_100.0)
        a = (
            Task(work=one[0], asks=Asks(output_tokens=900.0), share=0.7 * scale[0]),
            Task(work=one[1], asks=Asks(output_tokens=260.0), share=0.3 * scale[0]),
        )
        b = (
            Task(work=other[0], asks=asks, share=0.6 * scale[1]),
            Task(work=other[1], asks=asks, share=0.4 * scale[1]),
        )
        made = [Team(places=np.isin(part, (0, 1)), tasks=a), Team(places=np.isin(part, (1, 2)), tasks=b)]
        return [team for team in made if team.places.any()]

    profile = replace(USUAL, countries=EAST, addresses=(1, 3), accounts_per_payment=4)
    style = Style(clock="pulse", attendance=0.95, cool_down_s=600.0)
    made = set_up(world, spec, rng, profile=profile, style=style, teams=teams, parts=parts)
    made.crowd.labels = _two_names(made, spec.name)
    return made.group()


def _two_names(made: Operation, name: str) -> pa.Table:
    """Label rows of both campaigns."""
    labels = made.crowd.labels
    tables = []
    for suffix, parts in (("a", (0, 1)), ("b", (1, 2))):
        rows = labels.take(pa.array(np.flatnonzero(np.isin(made.part, parts))))
        place = rows.schema.get_field_index("campaign")
        tables.append(rows.set_column(place, "campaign", pa.array([f"{name}-{suffix}"] * rows.num_rows)))
    return pa.concat_tables(tables)


def _frozen(made: Operation, rng: Rng) -> Operation:
    """Every account sends one of a few client versions, those of the day the relay was set up."""
    crowd: Crowd = made.crowd
    seen = np.unique(crowd.client)
    stored = rng.permutation(seen)[:FOSSILS]
    crowd.client = stored[rng.integers(0, len(stored), len(crowd))].astype(np.int64)
    return made
