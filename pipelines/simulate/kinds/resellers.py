"""shadow_api_user: accounts of small unofficial resellers, innocent passengers behind them.

Here: a pool of accounts that is dealt its buyers' conversations, as public relay programs do it: least
recently used first, conversations that stick for an hour, a frozen client, rewritten session ids. Nobody
adds an instruction: it is what people, hobbyists and students write. Not here: contracted resellers
(gateways), operators who harvest what they relay (campaigns).
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.coding import equip
from pipelines.simulate.kinds.crowds import least_recently_used, queued
from pipelines.simulate.kinds.networks import sit_together
from pipelines.simulate.kinds.paperwork import leaders, only, teams
from pipelines.simulate.kinds.speech import answers_like, recite
from pipelines.simulate.population import Crowd, Ints, Profile
from pipelines.simulate.rhythm import AWAKE, Arrivals, singles, sittings, together
from pipelines.simulate.texts.grammar import LANGUAGES, Rng
from pipelines.simulate.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """How a reseller works."""

    pool: tuple[int, int]
    """Accounts per reseller, smallest and largest."""
    buyers: int
    """End users per account."""
    sittings: float
    """Mean number a day, per buyer."""
    themes: tuple[tuple[str, float], ...]
    hop: float = 0.01
    """Chance that a request goes on elsewhere after an error or a limit."""
    ids: str = "none"
    """What the log shows of end users: their own devices, one made-up client per account, or nothing."""
    gap_s: float = 0.0
    """Least time between two requests of an account; above 0 the reseller queues them."""


def device_passthrough(world: World, n: int, rng: Rng) -> Group:
    """Buyers' device ids come through: many on each account, the same one on several."""
    trade = Trade(
        pool=(6, 24),
        buyers=9,
        sittings=0.9,
        themes=(("chat", 0.5), ("coding", 0.3), ("work", 0.2)),
        ids="devices",
    )
    crowd, pool = _accounts(world, "device_passthrough", n, trade, rng)
    return _reselling(world, crowd, pool, trade, rng)


def minted_client(world: World, n: int, rng: Rng) -> Group:
    """Each account poses as one device with one frozen client: many unrelated talks at once, in a queue."""
    trade = Trade(
        pool=(4, 16),
        buyers=26,
        sittings=0.9,
        themes=(("agent", 0.5), ("chat", 0.35), ("work", 0.15)),
        hop=0.02,
        ids="minted",
        gap_s=0.2,
    )
    crowd, pool = _accounts(world, "minted_client", n, trade, rng)
    one = leaders(pool)
    equip(crowd, rng)
    crowd.client, crowd.toolset = crowd.client[one], crowd.toolset[one]  # a default of the relay
    crowd.system = crowd.system.take(pa.array(one))
    return _reselling(world, crowd, pool, trade, rng)


def academic_pool(world: World, n: int, rng: Rng) -> Group:
    """Students buy cheap access for papers: public benchmark items are dealt over the pool's accounts."""
    trade = Trade(pool=(5, 14), buyers=6, sittings=0.6, themes=(("chat", 0.6), ("work", 0.4)), ids="none")
    crowd, pool = _accounts(world, "academic_pool", n, trade, rng)
    chats = _reselling(world, crowd, pool, trade, rng)
    n_pools = int(pool.max(initial=0)) + 1
    papers = ("benchmark_math", "benchmark_code", "benchmark_judge")
    books = [world.texts.fixed(theme, 400, world.rng("benchmark", theme)) for theme in papers]
    wants = rng.random((7, n_pools)) < 0.3
    which_book = rng.integers(0, len(books), (7, n_pools))
    size = rng.integers(80, 400, (7, n_pools))
    sizes = np.bincount(pool, minlength=n_pools)
    first = np.cumsum(sizes) - sizes

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        traffic = chats.day(night)
        today = night.number % 7
        for seller in np.flatnonzero(wants[today]).tolist():  # a few pools a night
            book = books[which_book[today, seller]]
            k = min(int(size[today, seller]), len(book), 25 * int(sizes[seller]))
            begin, length = rng.uniform(0, 60_000), rng.uniform(3_000, 20_000)
            second = np.sort(begin + rng.random(k) * length)
            in_turn = first[seller] + (rng.integers(0, sizes[seller]) + np.arange(k)) % sizes[seller]
            order = np.lexsort((second, in_turn))
            traffic.append(
                recite(
                    book,
                    order,
                    singles(in_turn, second),
                    output_tokens=200.0,
                    temperature=np.zeros(k),
                )
            )
        return traffic

    return Group(crowd, day)


def _reselling(world: World, crowd: Crowd, pool: Ints, trade: Trade, rng: Rng) -> Group:
    """Buyers write as they like; the pool's accounts take their conversations in turn."""
    n = len(crowd)
    home = np.repeat(np.arange(n), trade.buyers)
    buyer_pool = pool[home]
    n_buyers = len(home)
    here = crowd.language[leaders(pool)][home]
    language = np.where(rng.random(n_buyers) < 0.75, here, rng.integers(0, len(LANGUAGES), n_buyers))
    clock = crowd.utc_offset_h[leaders(pool)][home] + rng.integers(-2, 3, n_buyers)
    zest = trade.sittings * rng.lognormal(-0.32, 0.8, n_buyers)
    style = world.texts.personas(n_buyers, rng).cast(pa.string())
    styled = rng.random(n_buyers) < 0.3
    temperature = rng.choice(np.array([np.nan, np.nan, 0.7, 1.0, 0.3]), n_buyers)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        talks = [sittings(zest * share, 4.0, 50.0, clock, rng, AWAKE + 1.0) for _, share in trade.themes]
        people = reduce(together, talks)
        theme_of = np.repeat(np.arange(len(talks)), [len(talk) for talk in talks])
        dealt = least_recently_used(people, buyer_pool, pool, trade.hop, rng)
        arrivals = queued(dealt.arrivals, trade.gap_s) if trade.gap_s > 0 else dealt.arrivals
        traffic = []
        for number, (theme, _) in enumerate(trade.themes):
            mine = theme_of == number
            texts = world.texts.conversation(theme, people.starts[mine], language[people.account[mine]], rng)
            # What failed is sent again, word for word, by a sibling.
            failed = np.flatnonzero(mine[dealt.moved])
            again = (np.cumsum(mine) - 1)[dealt.moved[failed]]
            row = np.concatenate((np.arange(len(texts)), again))
            who = people.account[mine][row]
            sent = _both(only(arrivals, mine), only(dealt.failed, mine[dealt.moved]))
            as_agent = theme == "agent"
            traffic.append(
                Traffic(
                    arrivals=sent,
                    prompt=texts.take(row).prompt,
                    answers_like=answers_like(theme),
                    system=None if as_agent else style.take(pa.array(who, mask=~styled[who])),
                    toolset=None if as_agent else np.full(len(who), -1, np.int64),
                    temperature=None if as_agent else temperature[who],
                    context_tokens=sent.turn * (900 if as_agent else 420),
                    end_user=_ids(trade, who),
                    end_users_roam=trade.ids == "devices",
                    failed=(np.arange(len(row)) >= len(texts)) | (rng.random(len(row)) < 0.004),
                )
            )
        return traffic

    return Group(crowd, day)


def _both(sent: Arrivals, failed: Arrivals) -> Arrivals:
    """Requests and failed attempts, whose sessions are the same ones."""
    pairs = zip(_columns(sent), _columns(failed), strict=True)
    account, second, session, turn = (np.concatenate(pair) for pair in pairs)
    return Arrivals(account, second, session, turn)


def _columns(arrivals: Arrivals) -> tuple[np.ndarray, ...]:
    return arrivals.account, arrivals.second, arrivals.session, arrivals.turn


def _ids(trade: Trade, who: Ints) -> Ints | None:
    if trade.ids == "none":
        return None
    return who if trade.ids == "devices" else np.zeros(len(who), np.int64)


def _accounts(world: World, generator: str, n: int, trade: Trade, rng: Rng) -> tuple[Crowd, Ints]:
    """Accounts bought over months with a few cards, behind shared exits, all looking like one client."""
    profile = Profile(
        kind="shadow_api_user",
        generator=generator,
        age_days=(3, 300),
        clients=("sdk",),
        network="cloud",
        addresses=(1, 2),
        accounts_per_payment=3,
        plans=(("plus", 0.3), ("pro", 0.5), ("api", 0.2)),
        verified=0.25,
        use_cases=("software", "research"),
        max_tokens=(4_096, 8_192, None),
        thinking=(None, True),
        sessions=1.0,
        moves=0.7,
    )
    crowd = world.enrol(profile, n, rng)
    pool = teams(n, *trade.pool, rng)
    half = pool * 2 + (rng.random(n) < 0.5)  # two exits a reseller
    order = np.argsort(half, kind="stable")
    exits = np.empty(n, np.int64)
    exits[order] = np.cumsum(np.diff(half[order], prepend=-1) > 0) - 1
    sit_together(crowd, exits)
    return crowd, pool


SHADOW_API_USER = {
    "device_passthrough": device_passthrough,
    "minted_client": minted_client,
    "academic_pool": academic_pool,
}
