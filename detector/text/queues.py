"""Work queues: is what fills a template's slots one list dealt out, or many people's own texts?

Here: from the uses of the night's families to measures and a verdict per family, and which requests carry an
item of a known data set. Not here: loops (kernels.queues), reading tables (pipelines.queues), what a verdict
means for a group of accounts (campaigns).

A verdict needs several measures, for each alone has an innocent reading: people's own texts are disjoint,
too; whoever uses an application twice is as even as a scheduler; a benchmark is a known list. What no two
kinds share is whether an account's items are *exchangeable*: from a dealt list any account might have got any
item, while a person's texts resemble one another in length, script, subject and words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from detector.kernels import queues as kernels

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

VERDICTS = ("unclear", "dealt_list", "own_texts", "repeated_suite", "one_text", "same_items")
"""Codes of `Queues.verdict` are positions in this tuple; docs/reference/queues.md says what each means."""

LEAST_ACCOUNTS = 10
"""Accounts with two or more items below which nothing is said of likeness: its error is estimated from the
differences between accounts, and nine of them do not estimate an error."""

LEVEL = 0.01
"""Level of every test that speaks for a verdict: a hundred families a night that are nothing give one."""

CERTAINTY = 1.645
"""Standard errors that a bound keeps: one-sided 95 %."""

MAJORITY = 0.5
"""More than half: what most accounts or most requests do is what the family is."""

FEW_SHARED = 0.1
"""Share of items that may have gone to a second account in a list dealt out once: a failed call is given to a
sibling, and a service that fails one call in ten is one that nobody harvests."""

SMALL_LIKENESS = 0.06
"""Likeness within accounts up to which accounts count as interchangeable: a medium effect by convention
(Cohen, Statistical Power Analysis, 1988, ch. 8: f = 0.25, 6 % of variance). Where the night tells what
people's own texts show, half of that is the limit when it is smaller."""

MOST_ITEMS = 16
"""Different items of one account that are compared: those with the smallest hashes, as good as a random
choice. An account with a million weighs no more than a busy person."""

TRAIT_BLOCKS = ("length", "script", "capability", "words")
"""What slots are compared in. Every block that varies at all has an equal say."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of each request.

    values : float32, shape (n, n_traits), finite
    block_starts : int64, shape (n_blocks + 1,); block b owns columns block_starts[b]:block_starts[b + 1]
    """

    values: Float32
    block_starts: Int64


@dataclass(frozen=True, slots=True)
class Queues:
    """What fills the slots of each family; every array has shape (n_families,), NaN where unknown.

    n_requests : requests; n_accounts : accounts; n_items : different prompts
    shared_item_ratio : share of items that more than one account sent, 0 to 1; NaN without requests
    shared_use_ratio : share of what accounts sent (an item once per account) that another account sent, too,
        0 to 1
    top_item_share : share of accounts that sent the most common item, 0 to 1
    shared_pairs : pairs of uses of one item by different accounts
    chance_pairs : how many there would be, had every request been drawn from one list regardless of account:
        the night's repeats, within accounts and between them, spread over all pairs of requests. Fewer:
        nobody repeats others but some repeat themselves. More: accounts avoid what they had, but share. NaN
        when nothing is repeated: then any list may be long enough, and `least_list_size` says how long
    least_list_size : size of list that would give shared_pairs or fewer in 5 % of cases, by independent
        draws; items; a lower bound on a list that accounts draw from on their own. NaN with one account
    list_size : estimated size of the list that shared items hint at, items (Chao2 with accounts as samples,
        bias corrected): far above n_items when little is shared, where it means little; NaN without requests
    evenness : variance of requests per account over that of a Poisson count that is never 0, no unit; 0 is a
        scheduler that counts, 1 random dealing, above 1 people; NaN when no account sent two, or under two
        accounts
    evenness_z : standard errors above (people) or below (a scheduler) 1; two-sided
    geometric_z : the same against people who each time go on with the same probability (a geometric count):
        below -2.3 the loads are more even than people's, who differ besides
    n_compared : accounts with two or more items, which alone tell of likeness
    own_text_icc : intraclass correlation of the slots: share of their variation that belongs to the account,
        0 for a list dealt out, near 1 when each account sends variations of one text; an estimate
        that may lie a little outside. NaN when fewer than two accounts have two items, or nothing varies
    own_text_error : its standard error, the larger of that between accounts and that by chance
    own_text_z : standard deviations above what re-dealing the items would give, whatever they are
    own_text_p : probability of so much likeness or more when the items are dealt out, 0 to 1
    block_icc : shape (n_families, n_blocks): the same by block of traits, NaN where a block does not vary
    order : Kendall's tau-b between the time of items tonight and their order in the known set, or on
        earlier nights where more items have a place there, -1 to 1; NaN under three items with a known place,
        or when all places or times are equal
    order_z : its standard score under chance
    order_within, order_within_z : the same inside accounts only, over all accounts: lists dealt out in
        stretches
    known_set : code of the known set that most items belong to, -1 for none
    known_set_share : share of items that belong to it, 0 to 1
    set_pairs : pairs of accounts that sent the same item of that set, however worded around it
    set_chance_pairs : how many there would be if each account drew from the set on its own; NaN without a
        known set
    set_chance_p : probability of so few or fewer: small is a set dealt out; NaN without a known set
    repeat_ratio : share of items seen on an earlier night, 0 to 1; NaN when earlier nights were not looked at
    repeat_nights : earlier nights on which a repeated item was seen, mean; NaN without repeats
    verdict : a position in VERDICTS

    Sources: ANOVA by permutation, Mantel, Cancer Research 27 (1967) 209; intraclass correlation, Fisher,
    Statistical Methods (1925), ch. VII; Chao2, Chao, Biometrics 43 (1987) 783; index of dispersion, Fisher
    (1925), ch. III; Kendall, Rank Correlation Methods.
    """

    n_requests: Int64
    n_accounts: Int64
    n_items: Int64
    shared_item_ratio: Float64
    shared_use_ratio: Float64
    top_item_share: Float64
    shared_pairs: Float64
    chance_pairs: Float64
    least_list_size: Float64
    list_size: Float64
    evenness: Float64
    evenness_z: Float64
    geometric_z: Float64
    n_compared: Int64
    own_text_icc: Float64
    own_text_error: Float64
    own_text_z: Float64
    own_text_p: Float64
    block_icc: Float64
    order: Float64
    order_z: Float64
    order_within: Float64
    order_within_z: Float64
    known_set: Int32
    known_set_share: Float64
    set_pairs: Float64
    set_chance_pairs: Float64
    set_chance_p: Float64
    repeat_ratio: Float64
    repeat_nights: Float64
    verdict: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.n_requests)


# --- what is compared --------------------------------------------------------------------------------------


def project_slots(
    shingles: UInt32, starts: Int64, family: Int32, family_shingles: UInt32, family_starts: Int64
) -> tuple[Float32, Int32]:
    """What fills the slots, as a few numbers: the shingles that are not the family's, projected at random.

    Parameters
    ----------
    shingles : uint32, flat; row i owns shingles[starts[i]:starts[i + 1]]
    family : int32, shape (n,), 0 and up: whose shingles are left out
    family_shingles : uint32, flat; family f owns family_shingles[family_starts[f]:family_starts[f + 1]],
        ascending

    Returns
    -------
    float32, shape (n, 16): sum of a random signed unit vector for each shingle, so that inner products
    estimate
        the number of common shingles; and int32, shape (n,): how many shingles were added up.

    Raises
    ------
    ValueError : the arrays do not fit together.
    """
    n = len(family)
    if len(starts) != n + 1 or (n and starts[-1] > len(shingles)):
        raise ValueError("starts must have one entry more than rows, and end within the shingles")
    if n and (family.min() < 0 or family.max() >= len(family_starts) - 1):
        raise ValueError("every row needs a family that has shingles")
    out = np.zeros((n, kernels.PROJECTED), np.float32)
    n_slot = np.zeros(n, np.int32)
    kernels.project_slots(shingles, starts, family, family_shingles, family_starts, out, n_slot)
    return out, n_slot


def slot_traits(
    n_bytes: npt.NDArray[np.integer],
    n_tokens: npt.NDArray[np.integer],
    script: npt.NDArray[np.integer],
    capability: npt.NDArray[np.integer],
    projection: Float32,
    n_slot: npt.NDArray[np.integer],
) -> Traits:
    """The traits of requests in TRAIT_BLOCKS: logarithms of sizes, codes one-hot, the direction of words.

    Parameters: integers of shape (n,), codes 0 and up; projection as `project_slots` gives it. A text without
    slot shingles has no direction: zeros.
    """
    n = len(n_bytes)
    # Codes that the night does not use would be columns of zeros.
    scripts, of_script = np.unique(script, return_inverse=True)
    capabilities, of_capability = np.unique(capability, return_inverse=True)
    widths = [3, len(scripts), len(capabilities), projection.shape[1]]
    block_starts = np.cumsum([0, *widths], dtype=np.int64)
    values = np.zeros((n, block_starts[-1]), np.float32)
    for column, sizes in enumerate((n_bytes, n_tokens, n_slot)):
        values[:, column] = np.log1p(sizes)
    rows = np.arange(n)
    values[rows, block_starts[1] + of_script] = 1
    values[rows, block_starts[2] + of_capability] = 1
    norm = np.sqrt((projection.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    values[:, block_starts[3] :] = projection / np.maximum(norm, 1)
    return Traits(values, block_starts)


# --- the measures ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Uses:
    """Distinct (family, account, item), in that order; accounts and items are segments of them.

    row : the request that stands for each; n : requests of it; sent_at : the first of them
    account_starts : account a owns uses account_starts[a]:account_starts[a + 1]; account_family : its family
    by_item : uses by (family, item); item_starts : item i owns by_item[item_starts[i]:item_starts[i + 1]]
    """

    row: Int64
    family: Int64
    item: UInt64
    n: Int64
    sent_at: Int64
    account_starts: Int64
    account_family: Int64
    by_item: Int64
    item_starts: Int64
    item_family: Int64

    @property
    def first_of_item(self) -> Int64:
        return self.by_item[self.item_starts[:-1]]


def _segments(*ascending: npt.NDArray[np.generic]) -> Int64:
    """Starts of runs of equal rows, and the end."""
    n = len(ascending[0])
    changes = np.zeros(n + 1, np.bool_)
    changes[0] = changes[-1] = True
    for column in ascending:
        changes[1:-1] |= column[1:] != column[:-1]
    return np.flatnonzero(changes).astype(np.int64) if n else np.zeros(1, np.int64)


def _uses(family: Int32, account: Int32, item: UInt64, sent_at_us: Int64) -> _Uses:
    order = np.lexsort((sent_at_us, item, account, family))
    starts = _segments(family[order], account[order], item[order])
    row = order[starts[:-1]]
    use_family, use_account, use_item = family[row].astype(np.int64), account[row], item[row]
    account_starts = _segments(use_family, use_account)
    by_item = np.lexsort((sent_at_us[row], use_item, use_family))
    item_starts = _segments(use_family[by_item], use_item[by_item])
    return _Uses(
        row, use_family, use_item, np.diff(starts), sent_at_us[row],
        account_starts, use_family[account_starts[:-1]],
        by_item, item_starts, use_family[by_item[item_starts[:-1]]],
    )  # fmt: skip


def judge(
    family: Int32,
    account: Int32,
    item: UInt64,
    sent_at_us: Int64,
    traits: Traits,
    n_families: int,
    *,
    known_set: Int32 | None = None,
    set_position: Int64 | None = None,
    set_sizes: Int64 | None = None,
    nights_before: npt.NDArray[np.int8] | None = None,
    earlier_position: Int64 | None = None,
    n_holders: Int32 | None = None,
    usual_icc: float = float("nan"),
) -> Queues:
    """Measure what fills the slots of each family, and say what it looks like.

    Parameters
    ----------
    family : int32, shape (n,), 0 to n_families - 1; one row per request, in any order
    account : int32, shape (n,), 0 and up
    item : uint64, shape (n,); equal for equal prompts. All below depends on the prompt alone, but for
        sent_at_us
    sent_at_us : int64, shape (n,); microseconds
    traits : of the same rows
    known_set, set_position : int32, int64, shape (n,): as `locate` gives them; -1 where none
    set_sizes : int64: items of each known set
    nights_before : int8, shape (n,): earlier nights on which the prompt was seen; absent when none were
        looked at
    earlier_position : int64, shape (n,): anything that grows with when it was first seen then; -1 where
        unknown
    n_holders : int32, shape (n,): accounts that sent the prompt in the whole night, where the rows are only
        those of some accounts: what looks exclusive among a few may be shared with the rest
    usual_icc : likeness that people's own texts show in this log (`own_text_icc` of requests outside
        families); NaN when that is not known

    Returns
    -------
    Queues; the same for the same rows in any order.

    Raises
    ------
    ValueError : the arrays do not fit together, or a trait is not finite.
    """
    n = len(family)
    columns = (
        account,
        item,
        sent_at_us,
        traits.values,
        known_set,
        set_position,
        nights_before,
        earlier_position,
        n_holders,
    )
    if any(column is not None and len(column) != n for column in columns):
        raise ValueError("every column must have one value per request")
    if n and (family.min() < 0 or family.max() >= n_families):
        raise ValueError("family numbers must lie between 0 and n_families - 1")
    if not np.isfinite(traits.values).all():
        raise ValueError("traits must be finite: leave out requests whose prompt is absent")
    uses = _uses(family, account, item, sent_at_us)
    measured: dict[str, npt.NDArray[Any]] = {}
    measured |= _sharing(uses, n_families, n_holders)
    measured |= _evenness(uses, n_families)
    measured |= _likeness(uses, traits, n_families)
    measured |= _known(uses, n_families, known_set, set_position, set_sizes)
    measured |= _order(uses, n_families, measured["known_set"], known_set, set_position, earlier_position)
    measured |= _repeats(uses, n_families, nights_before)
    return Queues(**measured, verdict=_verdict(measured, usual_icc))


def _sums(family: Int64, n_families: int, weights: npt.NDArray[np.generic] | None = None) -> Float64:
    sums: Float64 = np.bincount(family, weights, minlength=n_families).astype(np.float64)
    return sums


def _ratio(part: Float64, whole: Float64) -> Float64:
    ratio: Float64 = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return ratio


def _sharing(uses: _Uses, n_families: int, n_holders: Int32 | None) -> dict[str, npt.NDArray[Any]]:
    holders = np.diff(uses.item_starts).astype(np.float64)  # accounts of each item
    everywhere = (
        holders if n_holders is None else np.maximum(holders, n_holders[uses.row[uses.first_of_item]])
    )
    of_item, of_account = uses.item_family, uses.account_family
    mine = np.diff(uses.account_starts).astype(np.float64)  # items of each account
    n_requests = _sums(uses.family, n_families, uses.n)
    n_uses = _sums(uses.family, n_families)
    n_accounts = _sums(of_account, n_families)
    n_items = _sums(of_item, n_families)
    shared_pairs = _sums(of_item, n_families, holders * (holders - 1) / 2)
    top = np.zeros(n_families)
    np.maximum.at(top, of_item, holders)
    use_pairs = (n_uses**2 - _sums(of_account, n_families, mine**2)) / 2
    at_most = stats.chi2.ppf(0.95, 2 * (shared_pairs + 1)) / 2  # Poisson, exact
    # Pairs of requests, and of them pairs of equal ones, within accounts and between them.
    sent = np.add.reduceat(uses.n, uses.account_starts[:-1]) if len(uses.n) else np.empty(0)
    pairs_within = _sums(of_account, n_families, sent * (sent - 1.0) / 2)
    pairs_between = (n_requests**2 - _sums(of_account, n_families, sent.astype(np.float64) ** 2)) / 2
    copies = np.add.reduceat(uses.n[uses.by_item], uses.item_starts[:-1]) if len(uses.n) else np.empty(0)
    equal = _sums(of_item, n_families, copies * (copies - 1.0) / 2)
    equal_within = _sums(uses.family, n_families, uses.n * (uses.n - 1.0) / 2)
    chance = _ratio(equal * pairs_between, pairs_within + pairs_between)
    once, twice = _sums(of_item, n_families, holders == 1), _sums(of_item, n_families, holders == 2)
    samples = np.maximum(n_accounts, 1)
    return {
        "n_requests": n_requests.astype(np.int64),
        "n_accounts": n_accounts.astype(np.int64),
        "n_items": n_items.astype(np.int64),
        "shared_item_ratio": _ratio(_sums(of_item, n_families, everywhere > 1), n_items),
        "shared_use_ratio": _ratio(_sums(of_item, n_families, holders * (everywhere > 1)), n_uses),
        "top_item_share": _ratio(top, n_accounts),
        "shared_pairs": equal - equal_within,
        "chance_pairs": np.where(equal > 0, chance, np.nan),
        "least_list_size": np.where(use_pairs > 0, use_pairs / at_most, np.nan),
        "list_size": np.where(
            n_items > 0, n_items + (samples - 1) / samples * once * (once - 1) / (2 * (twice + 1)), np.nan
        ),
    }


def _evenness(uses: _Uses, n_families: int) -> dict[str, npt.NDArray[Any]]:
    """Requests per account against counts that are never 0: an account that sent nothing is not seen."""
    family = uses.account_family
    sent = (np.add.reduceat(uses.n, uses.account_starts[:-1]) if len(uses.n) else np.empty(0)).astype(
        np.float64
    )
    n = _sums(family, n_families)
    mean = _ratio(_sums(family, n_families, sent), n)
    squares = _sums(family, n_families, (sent - mean[family]) ** 2)
    known = (n >= 2) & (mean > 1)
    n, mean = np.where(known, n, np.nan), np.where(known, mean, np.nan)
    variance = squares / (n - 1)
    rate = _rate(mean)
    # Factorial moments of a zero-truncated Poisson are rate^k / P(not 0), rate^(k-1) * mean.
    poisson = _moments(mean, rate * mean, rate**2 * mean, rate**3 * mean)
    slope = 1 + rate - mean + mean * (_rate(mean * 1.001) - rate) / (mean * 0.001) - mean
    # A count from 1 that goes on with probability g: mean 1 / (1 - g); factorial moments k! g^(k-1) mean^k.
    more = 1 - 1 / mean
    geometric = _moments(mean, 2 * more * mean**2, 6 * more**2 * mean**3, 24 * more**3 * mean**4)
    return {
        "evenness": variance / poisson[0],
        "evenness_z": _dispersion_z(variance, n, poisson, slope),
        "geometric_z": _dispersion_z(variance, n, geometric, 2 * mean - 1),
    }


def _rate(mean: Float64) -> Float64:
    """The rate of a Poisson count whose mean, given that it is not 0, is `mean`: Newton's way from above."""
    rate = mean.copy()
    with np.errstate(all="ignore"):
        for _ in range(40):
            rest = -np.expm1(-rate)
            step = (rate / rest - mean) / ((rest - rate * np.exp(-rate)) / rest**2)
            rate = np.maximum(rate - step, rate / 10)
    return rate


def _moments(
    mean: Float64, second: Float64, third: Float64, fourth: Float64
) -> tuple[Float64, Float64, Float64]:
    """Variance, third and fourth central moments from the mean and the factorial moments."""
    raw2 = second + mean
    raw3 = third + 3 * second + mean
    raw4 = fourth + 6 * third + 7 * second + mean
    return (
        raw2 - mean**2,
        raw3 - 3 * mean * raw2 + 2 * mean**3,
        raw4 - 4 * mean * raw3 + 6 * mean**2 * raw2 - 3 * mean**4,
    )


def _dispersion_z(
    variance: Float64, n: Float64, moments: tuple[Float64, Float64, Float64], slope: Float64
) -> Float64:
    """Standard score of a sample variance when the expected one is read off the sample's own mean.

    slope : how the expected variance grows with the mean: what the mean's error explains of the variance's is
    no evidence of anything.
    """
    second, third, fourth = moments
    error = (fourth - second**2 - 2 * slope * third + slope**2 * second) / n
    with np.errstate(all="ignore"):
        return (variance - second) / np.sqrt(np.where(error > 1e-12, error, np.nan))


def _likeness(uses: _Uses, traits: Traits, n_families: int) -> dict[str, npt.NDArray[Any]]:
    # Of each account the items with the smallest hashes: uses are in that order already.
    n_items = np.diff(uses.account_starts)
    place = np.arange(len(uses.row)) - np.repeat(uses.account_starts[:-1], n_items)
    kept = place < MOST_ITEMS
    account_starts = np.zeros(len(n_items) + 1, np.int64)
    np.cumsum(np.minimum(n_items, MOST_ITEMS), out=account_starts[1:])
    family_starts = np.searchsorted(uses.account_family, np.arange(n_families + 1)).astype(np.int64)
    icc, error, z, skew = (np.empty(n_families) for _ in range(4))
    block_icc = np.empty((n_families, len(traits.block_starts) - 1))
    kernels.likeness(
        traits.values[uses.row[kept]], account_starts, family_starts, traits.block_starts,
        icc, error, z, skew, block_icc,
    )  # fmt: skip
    p = np.full(n_families, np.nan)
    known = np.isfinite(z)
    p[known] = stats.pearson3.sf(z[known], np.clip(skew[known], 1e-6, None))
    return {
        "n_compared": _sums(uses.account_family, n_families, n_items > 1).astype(np.int64),
        "own_text_icc": icc,
        "own_text_error": error,
        "own_text_z": z,
        "own_text_p": p,
        "block_icc": block_icc,
    }


def _known(
    uses: _Uses,
    n_families: int,
    known_set: Int32 | None,
    set_position: Int64 | None,
    set_sizes: Int64 | None,
) -> dict[str, npt.NDArray[Any]]:
    nan = np.full(n_families, np.nan)
    n_items = _sums(uses.item_family, n_families)
    if known_set is None or set_position is None or set_sizes is None or len(set_sizes) == 0:
        share = np.where(n_items > 0, 0.0, np.nan) if set_sizes is not None else nan
        return {
            "known_set": np.full(n_families, -1, np.int32),
            "known_set_share": share,
            "set_pairs": nan,
            "set_chance_pairs": nan,
            "set_chance_p": nan,
        }
    n_sets = len(set_sizes)
    of_use = known_set[uses.row].astype(np.int64)
    of_item = of_use[uses.first_of_item]
    located = of_item >= 0
    counts = np.zeros((n_families, n_sets))
    cells, n_cell = np.unique(uses.item_family[located] * n_sets + of_item[located], return_counts=True)
    counts.reshape(-1)[cells] = n_cell
    largest = counts.argmax(axis=1)
    n_known = counts[np.arange(n_families), largest]
    code = np.where(n_known > 0, largest, -1)
    mine = np.flatnonzero((of_use == code[uses.family]) & (of_use >= 0))
    # Here an item is a place in the set, however the request around it is worded; once per account.
    n_accounts = len(uses.account_family)
    account = np.repeat(np.arange(n_accounts), np.diff(uses.account_starts))[mine]
    family, place = uses.family[mine], set_position[uses.row[mine]]
    order = np.lexsort((account, place, family))
    family, place, account = family[order], place[order], account[order]
    once = _segments(family, place, account)[:-1]
    family, place, account = family[once], place[once], account[once]
    per_account = np.bincount(account, minlength=n_accounts).astype(np.float64)
    squares = _sums(uses.account_family, n_families, per_account**2)
    pairs = (_sums(family, n_families) ** 2 - squares) / 2
    starts = _segments(family, place)
    holders = np.diff(starts).astype(np.float64)
    observed = _sums(family[starts[:-1]], n_families, holders * (holders - 1) / 2)
    expected = np.where(n_known > 0, pairs / np.maximum(set_sizes[largest], 1), np.nan)
    return {
        "known_set": code.astype(np.int32),
        "known_set_share": _ratio(n_known, n_items),
        "set_pairs": np.where(n_known > 0, observed, np.nan),
        "set_chance_pairs": expected,
        "set_chance_p": np.where(n_known > 0, stats.poisson.cdf(observed, expected), np.nan),
    }


def _order(
    uses: _Uses,
    n_families: int,
    largest_set: Int32,
    known_set: Int32 | None,
    set_position: Int64 | None,
    earlier_position: Int64 | None,
) -> dict[str, npt.NDArray[Any]]:
    """Against the known set, unless more items have a place on earlier nights."""
    position = np.full(len(uses.row), -1, np.int64)
    if earlier_position is not None:
        position = earlier_position[uses.row].astype(np.int64)
    if known_set is not None and set_position is not None:
        in_set = np.where(
            (known_set[uses.row] >= 0) & (known_set[uses.row] == largest_set[uses.family]),
            set_position[uses.row],
            -1,
        )
        n_in_set = _sums(uses.item_family, n_families, in_set[uses.first_of_item] >= 0)
        n_earlier = _sums(uses.item_family, n_families, position[uses.first_of_item] >= 0)
        by_set = n_in_set >= np.maximum(n_earlier, 3)
        position = np.where(by_set[uses.family], in_set, position)
    items = uses.first_of_item
    over_all = _tau(uses.sent_at[items], position[items], uses.item_family, uses.item_family, n_families)
    account = np.repeat(np.arange(len(uses.account_family)), np.diff(uses.account_starts))
    within = _tau(uses.sent_at, position, account, uses.family, n_families)
    return {
        "order": over_all[0],
        "order_z": over_all[1],
        "order_within": within[0],
        "order_within_z": within[1],
    }


def _tau(
    sent_at: Int64, position: Int64, segment: Int64, family: Int64, n_families: int
) -> tuple[Float64, Float64]:
    """Kendall's tau-b summed over the segments of each family, and its standard score."""
    known = np.flatnonzero(position >= 0)
    order = known[np.lexsort((position[known], sent_at[known], segment[known]))]
    starts = _segments(segment[order])
    score, variance, pairs = (np.empty(len(starts) - 1) for _ in range(3))
    kernels.concordance(sent_at[order], position[order], starts, score, variance, pairs)
    of = family[order[starts[:-1]]]
    score, variance, pairs = (_sums(of, n_families, values) for values in (score, variance, pairs))
    n_known = _sums(family[known], n_families)
    said = (n_known >= 3) & (variance > 0) & (pairs > 0)
    nan = np.full(n_families, np.nan)
    return (
        np.divide(score, pairs, out=nan.copy(), where=said),
        np.divide(score, np.sqrt(variance), out=nan.copy(), where=said),
    )


def _repeats(
    uses: _Uses, n_families: int, nights_before: npt.NDArray[np.int8] | None
) -> dict[str, npt.NDArray[Any]]:
    if nights_before is None:
        return {"repeat_ratio": np.full(n_families, np.nan), "repeat_nights": np.full(n_families, np.nan)}
    nights = nights_before[uses.row[uses.first_of_item]].astype(np.float64)
    repeated = _sums(uses.item_family, n_families, nights > 0)
    return {
        "repeat_ratio": _ratio(repeated, _sums(uses.item_family, n_families)),
        "repeat_nights": _ratio(_sums(uses.item_family, n_families, nights), repeated),
    }


def pooled_likeness(icc: Float64, error: Float64) -> tuple[float, float]:
    """Likeness over several families of one group, each weighed by its precision; and its error.

    A group that divides its list over many templates shows little in each of them and much in all. NaN, NaN
    when no family tells.
    """
    told = np.isfinite(icc) & np.isfinite(error) & (error > 0)
    if not told.any():
        return float("nan"), float("nan")
    weight = 1 / error[told] ** 2
    return float((icc[told] * weight).sum() / weight.sum()), float(1 / np.sqrt(weight.sum()))


def said_of_likeness(queues: Queues) -> npt.NDArray[np.bool_]:
    """Where `own_text_icc` says something: accounts enough, and a small enough error."""
    with np.errstate(invalid="ignore"):
        return (queues.n_compared >= LEAST_ACCOUNTS) & (CERTAINTY * queues.own_text_error < SMALL_LIKENESS)


# --- the verdict -------------------------------------------------------------------------------------------


def _bounds(share: Float64, n: Float64) -> tuple[Float64, Float64]:
    """A share of n, as little and as much as it may be (Wilson's interval, one-sided 95 % each)."""
    z = CERTAINTY
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


def _verdict(m: dict[str, npt.NDArray[Any]], usual_icc: float) -> npt.NDArray[np.int8]:
    """The first of these that holds; each bound is the end of a 95 % interval that speaks against it.

    one_text : most accounts sent the most common item
    repeated_suite : most items were seen on an earlier night
    same_items : most of what accounts sent, others sent as well
    own_texts : accounts' items are alike beyond chance, over accounts at large, and by more than a negligible
        amount
    dealt_list : hardly an item went to two accounts; likeness within accounts is at most negligible; and
        something shows a dealer: loads more even than people's, the order of a list, or a known set drawn
        without repeats
    unclear : else
    """
    with np.errstate(all="ignore"):
        n_items = np.maximum(m["n_items"].astype(np.float64), 1)
        n_accounts = np.maximum(m["n_accounts"].astype(np.float64), 1)
        one_text = _bounds(m["top_item_share"], n_accounts)[0] > MAJORITY
        repeated = _bounds(m["repeat_ratio"], n_items)[0] > MAJORITY
        same = _bounds(m["shared_use_ratio"], n_items)[0] > MAJORITY
        disjoint = _bounds(m["shared_item_ratio"], n_items)[1] < FEW_SHARED
        limit = min(SMALL_LIKENESS, usual_icc / 2) if np.isfinite(usual_icc) else SMALL_LIKENESS
        icc, error = m["own_text_icc"], m["own_text_error"]
        far = stats.norm.isf(LEVEL)
        enough = m["n_compared"] >= LEAST_ACCOUNTS
        # Its error between accounts, too: a few accounts that are very unlike the rest do not speak for all.
        alike = (m["own_text_p"] < LEVEL) & (icc > far * error) & (icc > limit)
        # Below 0 there is nothing but chance: it must not buy certainty.
        exchangeable = np.maximum(icc, 0) + CERTAINTY * error < limit
        in_order = np.fmax(m["order_z"], m["order_within_z"])
        dealer = (m["geometric_z"] < -far) | (in_order > far) | (m["set_chance_p"] < LEVEL)
    conditions = [
        ("one_text", one_text),
        ("repeated_suite", repeated),
        ("same_items", same),
        ("own_texts", enough & alike),
        ("dealt_list", enough & disjoint & exchangeable & dealer),
    ]
    verdict = np.select(
        [condition for _, condition in conditions], [VERDICTS.index(code) for code, _ in conditions], 0
    )
    return verdict.astype(np.int8)


# --- known data sets ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KnownSets:
    """Known data sets, as shingles by which their items are recognised.

    names : of the sets; sizes : int64, shape (n_sets,): items of each
    item_set, item_position : int32, int64, shape (n_items,): where each item stands
    n_sampled : int32, shape (n_items,): shingles it is recognised by, at most ITEM_SHINGLES; 0: it cannot be
    keys, first_holder, holders : ascending shingles, and by which items (times ITEM_SHINGLES, plus place)
        each is held
    """

    names: tuple[str, ...]
    sizes: Int64
    item_set: Int32
    item_position: Int64
    n_sampled: Int32
    keys: UInt32
    first_holder: Int64
    holders: Int64


_PADDING = " ".join(f"padding{letter}" for letter in "abcdefghijklmnopqrstuvwxyzabcdefghij")


def padded(texts: pa.StringArray) -> pa.StringArray:
    """Items of a known set as they stand inside a longer text, to be fingerprinted: of a text's ends, and of
    a short text, more shingles are kept than of the same words elsewhere. The padding's own are held by every
    item and so decide nothing."""
    wide = pa.large_string()
    padding, blank = pa.scalar(_PADDING, wide), pa.scalar(" ", wide)
    return pc.binary_join_element_wise(padding, texts.cast(wide), padding, blank)


def known_sets(names: Sequence[str], texts: Sequence[tuple[UInt32, Int64]]) -> KnownSets:
    """Prepare known data sets to be looked for.

    Parameters
    ----------
    names : of the sets
    texts : for each set the shingles of its items as `fingerprint` gives them of `padded` items, under the
        secret of the texts that are searched: flat, and starts (n_items + 1)

    Returns
    -------
    KnownSets. Of each item the shingles that fewest items hold are kept, ties by hash; one that more than
    MOST_HOLDERS items hold is an everyday phrase and decides nothing.

    Raises
    ------
    ValueError : not as many names as sets.
    """
    if len(names) != len(texts):
        raise ValueError("every known set needs a name")
    sizes = np.array([len(starts) - 1 for _, starts in texts], np.int64)
    n_items = int(sizes.sum())
    item_set = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    item_position = np.arange(n_items) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    lengths = [np.diff(starts) for _, starts in texts]
    item = np.repeat(np.arange(n_items), np.concatenate(lengths) if lengths else [])
    none = np.empty(0, np.uint32)
    flat = np.concatenate([none, *(shingles[starts[0] : starts[-1]] for shingles, starts in texts)])
    pairs = np.unique(
        item.astype(np.uint64) << np.uint64(32) | flat.astype(np.uint64)
    )  # each shingle once an item
    item = (pairs >> np.uint64(32)).astype(np.int64)
    shingle = (pairs & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    _, of, n_holders = np.unique(shingle, return_inverse=True, return_counts=True)
    rarity = n_holders[of]
    rare = rarity <= kernels.MOST_HOLDERS
    item, shingle, rarity = item[rare], shingle[rare], rarity[rare]
    mixed = shingle * np.uint32(0x9E3779B9)
    order = np.lexsort((shingle, mixed ^ (mixed >> np.uint32(15)), rarity, item))
    starts = np.searchsorted(item[order], np.arange(n_items + 1))
    place = np.arange(len(order)) - np.repeat(starts[:-1], np.diff(starts))
    kept = place < kernels.ITEM_SHINGLES
    order, place = order[kept], place[kept]
    by_shingle = np.lexsort((item[order], shingle[order]))
    keys, first = np.unique(shingle[order][by_shingle], return_index=True)
    return KnownSets(
        names=tuple(names),
        sizes=sizes,
        item_set=item_set,
        item_position=item_position.astype(np.int64),
        n_sampled=np.minimum(np.diff(starts), kernels.ITEM_SHINGLES).astype(np.int32),
        keys=keys.astype(np.uint32),
        first_holder=np.append(first, len(by_shingle)).astype(np.int64),
        holders=(item[order] * kernels.ITEM_SHINGLES + place)[by_shingle].astype(np.int64),
    )


def locate(shingles: UInt32, starts: Int64, known: KnownSets) -> tuple[Int32, Int64]:
    """Which known item each text holds.

    Parameters
    ----------
    shingles : uint32, flat; text i owns shingles[starts[i]:starts[i + 1]], in order of appearance

    Returns
    -------
    int32, shape (n,): code of the known set, -1 for none; int64, shape (n,): the item's place in it, -1 for
    none. A
        text holds an item when it holds half of the shingles kept of it, and two; of several, the one that
        ends last.
    """
    item = np.empty(len(starts) - 1, np.int64)
    kernels.locate_items(
        shingles, starts, known.keys, known.first_holder, known.holders, known.n_sampled, item
    )
    if len(known.item_set) == 0:
        return np.full(len(item), -1, np.int32), np.full(len(item), -1, np.int64)
    found = item >= 0
    return (
        np.where(found, known.item_set[item], -1).astype(np.int32),
        np.where(found, known.item_position[item], -1).astype(np.int64),
    )


def warm_up() -> None:
    """Compile the loops of this module, or read them from the cache, on a night of one text."""
    shingles, starts = np.arange(4, dtype=np.uint32), np.array([0, 4], np.int64)
    family = np.zeros(1, np.int32)
    projection, n_slot = project_slots(shingles, starts, family, shingles[:1], np.array([0, 1], np.int64))
    code = np.zeros(1, np.int64)
    known_set, position = locate(shingles, starts, known_sets(["one"], [(shingles, starts)]))
    judge(
        family, family, np.zeros(1, np.uint64), code, slot_traits(code, code, code, code, projection, n_slot),
        1, known_set=known_set, set_position=position, set_sizes=np.ones(1, np.int64),
    )  # fmt: skip
