"""How a campaign hides: modifiers that work on any kind, alone and together.

Here: what each evasion does to accounts, pace, words and parameters. Where they are applied: set_up and
operation, of the campaigns. Not here: what a campaign is after. An evasion leaves alone the queue, the
intent of the instruction and the tags and keys it asks for; only `throttling` harvests less a night.

`rotation` is planned in the roster and `day_night` is a clock of rhythm; for both, the figures stand here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.lookalikes import sprinkled
from pipelines.simulate.population import Crowd, Profile, random_ids
from pipelines.simulate.sentences import halves
from pipelines.simulate.spec import Evasion
from pipelines.simulate.texts import Framed, Work
from pipelines.simulate.texts.grammar import Rng, join
from pipelines.simulate.texts.paraphrase import paraphrased
from pipelines.simulate.traffic import Traffic

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Evasions = tuple[Evasion, ...]
Padding = Callable[[int, Rng], pa.Array]
"""Writes some ordinary texts."""

FEW_A_NIGHT = 2
"""Most requests of a throttled account in a night: under three."""
_TURNS_AT_WORK = 0.8
"""Share of its nights on which a throttled account works: they take turns."""
COVERED = (0.60, 0.95)
"""Share of cover under `cover_traffic`; campaigns of the record hid behind other customers' requests."""
ROTATED_AFTER = (1, 3)
"""Nights after which part of the pool is fresh under `rotation`; drawn from so many up to below so many."""
WEEKEND = 0.6
"""Pace of a weekend night under `day_night`."""
ABROAD = ("en", "zh", "de", "es", "fr", "ru", "ja", "ar")
"""Languages of the instruction under `languages`."""
_LOOKED_AT = 48
"""Items read to tell whether a queue holds whole requests."""
_PARAPHRASE = 0.6
_LIMITS = np.array([-1, 1_024, 2_048, 4_096, 8_192], np.int64)
_SMALL_LIMITS = np.array([1, 8, 16, 32, 64, 128, 256], np.int64)
WARMTHS = np.array([0.2, 0.3, 0.7, 0.8, 0.9, 1.0])
"""Temperatures that ordinary programs set: an odd value would give its sender away."""
_TOP_PS = np.array([np.nan, np.nan, 0.9, 0.95, 1.0])


@dataclass(frozen=True, slots=True)
class Pace:
    """What one account does in a night, on average."""

    harvested: float
    """Requests for the operator."""
    cover: float
    """Share of all its requests that are not."""


def paced(rate: float, cover: float, evasions: Evasions, rng: Rng) -> Pace:
    """The pace of a campaign that wants `rate` requests per account and night, `cover` of them small talk.

    More cover comes on top: as much is harvested as without it. A throttled account stays under its
    threshold with everything it sends, cover too.
    """
    wanted = Pace(rate * (1.0 - cover), cover)
    if "cover_traffic" in evasions:
        share = COVERED[0] if "throttling" in evasions else rng.uniform(*COVERED)
        wanted = Pace(wanted.harvested, max(share, cover))
    if "throttling" in evasions:
        most = FEW_A_NIGHT * _TURNS_AT_WORK * 0.95
        wanted = Pace(min(wanted.harvested, most * (1.0 - wanted.cover)), wanted.cover)
    return wanted


def attendance(usual: float, evasions: Evasions) -> float:
    """Share of the pool at work on a night."""
    return _TURNS_AT_WORK if "throttling" in evasions else usual


def disguised_profile(profile: Profile, evasions: Evasions) -> Profile:
    """What the accounts of a hiding campaign have in common."""
    if "residential" not in evasions:
        return profile
    low, high = profile.age_days
    return replace(
        profile,
        network="home",
        addresses=(4, 9),
        shared_exits=0,
        org_size=1,
        accounts_per_payment=1,
        age_days=(low, max(high, 240.0)),
    )


def disguise_accounts(crowd: Crowd, evasions: Evasions, rng: Rng) -> None:
    """A mail domain of its own for half of the accounts that hide at home; the others use big providers."""
    if "residential" not in evasions:
        return
    n = len(crowd)
    own = join([random_ids("", n, rng, 6), ".example"], n)
    usual = crowd.accounts["email_domain"].combine_chunks()
    domains = pc.if_else(pa.array(rng.random(n) < 0.5), own, usual)
    place = crowd.accounts.schema.get_field_index("email_domain")
    crowd.accounts = crowd.accounts.set_column(place, "email_domain", domains)


def speaks_for_itself(work: Work, rng: Rng) -> bool:
    """Whether the items of a queue are whole requests, so that hiding an instruction means rewriting them.

    They are where nothing stands around them and either no system prompt says what to do, or each brings its
    own, or most begin with the same words: an instruction that stands in every item.
    """
    frame = np.arange(_LOOKED_AT) % max(1, work.n_frames)
    item = np.linspace(0, work.n_items - 1, _LOOKED_AT).astype(np.int64)
    framed = work.texts(frame, item, rng)
    bare = pa.array((_lengths(framed.before) == 0) & (_lengths(framed.after) == 0))
    items = framed.payload.filter(bare)
    if len(items) == 0 or framed.system is None:
        return len(items) > 0
    n_systems = len(framed.system.filter(bare).drop_null().unique())
    openings = pc.utf8_slice_codeunits(items.cast(pa.string()), 0, 30).unique()
    return n_systems == 0 or n_systems > work.n_frames or len(openings) < len(items) / 2


def worded(framed: Framed, evasions: Evasions, padding: Padding, rng: Rng, *, rewrite_items: bool) -> Framed:
    """The requests of a hiding campaign, taken apart.

    Parameters
    ----------
    padding : writes ordinary texts, to make an item longer with
    rewrite_items : whether items with nothing around them are whole requests (`speaks_for_itself`)
    """
    if "slots_in_middle" in evasions:
        framed = _in_the_middle(framed, padding, rng)
    if "paraphrase" in evasions:
        framed = _reworded(framed, rng, rewrite_items)
    if "lookalike_characters" in evasions:
        framed = _misspelt(framed, rng, rewrite_items)
    return framed


def _in_the_middle(framed: Framed, padding: Padding, rng: Rng) -> Framed:
    """The payload between two halves of the instruction, and longer than the instruction."""
    n = len(framed)
    instruction = join([framed.before, framed.after], n)
    first, second = (pc.utf8_trim_whitespace(half) for half in halves(instruction))
    payload = framed.payload.cast(pa.string())
    short = _lengths(payload) <= _lengths(instruction)
    wanted = np.flatnonzero(short & (_lengths(instruction) > 0))
    # Pasted material: as long as it takes, at most three pieces for each item.
    for _ in range(3):
        if len(wanted) == 0:
            break
        payload = join([payload, _put(n, wanted, padding(len(wanted), rng))], n)
        wanted = wanted[_lengths(payload)[wanted] <= _lengths(instruction)[wanted]]
    framed_at_all = pa.array(_lengths(instruction) > 0)
    gap = pc.if_else(framed_at_all, "\n\n", "")
    return Framed(join([first, gap], n), payload, join([gap, second], n), framed.system)


def _put(n: int, rows: Ints, texts: pa.Array) -> pa.Array:
    """Texts at some rows, as further paragraphs; "" elsewhere."""
    place = np.full(n, len(texts))
    place[rows] = np.arange(len(texts))
    paragraphs = join(["\n\n", texts.cast(pa.string())], len(texts))
    return pa.concat_arrays([paragraphs, pa.array([""], pa.string())]).take(pa.array(place))


def _reworded(framed: Framed, rng: Rng, rewrite_items: bool) -> Framed:
    """Every request in words of its own; what it demands of the answer comes before or behind the item."""
    n = len(framed)
    before = _rewritten(framed.before, rng)
    after = _rewritten(framed.after, rng)
    bare = (_lengths(framed.before) == 0) & (_lengths(framed.after) == 0)
    payload = framed.payload.cast(pa.string())
    if rewrite_items and bare.any():
        payload = pc.if_else(pa.array(bare), _rewritten(payload, rng), payload)
    turned = (rng.random(n) < 0.5) & ~bare
    ends_with = _lengths(framed.after) > 0
    up_front = pa.array(turned & ends_with)
    behind = pa.array(turned & ~ends_with)
    lead = pc.if_else(up_front, join([pc.utf8_trim_whitespace(after), "\n\n"], n), "")
    tail = pc.if_else(behind, join(["\n\n", pc.utf8_trim_whitespace(before)], n), after)
    system = framed.system
    if system is not None:
        system = _rewritten(system, rng)
    return Framed(
        join([lead, pc.if_else(behind, "", before)], n), payload, pc.if_else(up_front, "", tail), system
    )


def _rewritten(texts: pa.Array, rng: Rng) -> pa.Array:
    """Texts in other words; nulls stay null."""
    written = paraphrased(pc.fill_null(texts.cast(pa.string()), ""), rng, strength=_PARAPHRASE)
    return (
        pc.if_else(texts.is_valid(), written, pa.scalar(None, pa.string())) if texts.null_count else written
    )


def _misspelt(framed: Framed, rng: Rng, rewrite_items: bool) -> Framed:
    """Look-alike signs in the instruction; in the whole request where the two cannot be told apart."""
    bare = (_lengths(framed.before) == 0) & (_lengths(framed.after) == 0)
    payload = framed.payload.cast(pa.string())
    if rewrite_items and bare.any():
        payload = pc.if_else(pa.array(bare), sprinkled(payload, rng), payload)
    system = None if framed.system is None else sprinkled(framed.system, rng)
    return Framed(sprinkled(framed.before, rng), payload, sprinkled(framed.after, rng), system)


@dataclass(frozen=True, slots=True)
class Habits:
    """How each account jitters its parameters, for good."""

    temperature: Floats
    streams: Floats
    """Chance that a request streams."""
    thinks: Floats
    limit: Ints
    """Its favourite place in the list of common limits."""


def habits(n: int, rng: Rng) -> Habits:
    """Draw the habits of `n` accounts."""
    return Habits(
        temperature=rng.uniform(0.4, 1.0, n),
        streams=rng.random(n),
        thinks=rng.random(n) * 0.6,
        limit=rng.integers(0, len(_LIMITS), n),
    )


def jitter(traffic: Traffic, crowd: Crowd, usual: Habits, rng: Rng) -> None:
    """Change parameters and client version from account to account and from request to request.

    A task's own small limit stays small, and thinking it depends on stays on: they are what it is after.
    """
    who = traffic.arrivals.account
    n = len(who)
    centre = usual.temperature[who]
    if traffic.temperature is not None:
        centre = np.where(np.isnan(traffic.temperature), centre, traffic.temperature)
    step = np.searchsorted(WARMTHS, centre) + rng.integers(-1, 2, n)
    warm = WARMTHS[np.clip(step, 0, len(WARMTHS) - 1)]
    traffic.temperature = np.where(rng.random(n) < 0.15, np.nan, warm)
    traffic.top_p = _TOP_PS[rng.integers(0, len(_TOP_PS), n)]
    common = _LIMITS[(usual.limit[who] + rng.integers(0, 3, n)) % len(_LIMITS)]
    if traffic.max_tokens is not None:
        own = traffic.max_tokens
        step = np.searchsorted(_SMALL_LIMITS, own) + rng.integers(0, 3, n)
        small = _SMALL_LIMITS[np.minimum(step, len(_SMALL_LIMITS) - 1)]
        common = np.where((own >= 0) & (own < 64), small, common)
    traffic.max_tokens = common
    traffic.stream = np.where(rng.random(n) < usual.streams[who], 1, 0)
    if traffic.thinking is None:
        traffic.thinking = np.where(rng.random(n) < usual.thinks[who], 1, -1)
    traffic.client = _other_versions(crowd.client[who], rng)


def _other_versions(client: Ints, rng: Rng) -> Ints:
    """Another client of the same family for each; frameworks keep theirs."""
    families = [entry["family"] for entry in load_catalog().clients]
    out = client.copy()
    for family in sorted(set(families)):
        members = np.array([at for at, name in enumerate(families) if name == family], np.int64)
        mine = np.isin(client, members)
        out[mine] = members[rng.integers(0, len(members), int(mine.sum()))]
    return out


def addresses_by_hour(traffic: Traffic, number: int) -> None:
    """Another of its addresses for every account and hour, as pools of home connections lease them."""
    hour = (traffic.arrivals.second // 3_600).astype(np.int64) + number * 24
    traffic.address = (hour * 7 + traffic.arrivals.account * 13) % 1_009


def _lengths(column: pa.Array) -> Ints:
    return np.asarray(pc.fill_null(pc.binary_length(column), 0).to_numpy(zero_copy_only=False), np.int64)
