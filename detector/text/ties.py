"""Ties between template families: signs that two wordings are one operator's instruction.

Here: from contract marks, slot shingles, words and accounts of families to ties, and from ties to groups.
Not here: what a family is (families), its readable form (skeleton), reading tables (pipelines.ties), loops
(kernels.ties).

A rewritten instruction shares no shingles with the original, so the two are two families. What a rewriter
leaves alone still joins them: the form demanded of the answer, the list that items are drawn from, the words
that carry the meaning. Each kind of tie is a log-likelihood ratio against chance among the night's families;
what many families share ties nobody. Kinds are measured on different things, so their strengths add up.

Cost: no kind compares all pairs of what a sender can multiply. Marks and shingles go through inverted indexes
in which an entry of more than a few families is dropped; cosines are taken among at most MOST_FAMILIES.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, triu

from detector.kernels import ties as kernels

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KINDS = ("contract", "source", "wording", "fragments")
"""Codes of `Ties.kind` are positions in this tuple."""

MOST_STRENGTH = 8.0
"""No kind alone says more than three thousand to one: what would have to be wrong is our model of chance."""

LEAST_STRENGTH = 1.0
"""Weaker ties are not kept."""

GROUP_STRENGTH = 8.0
"""Added strength from which a pair counts for groups: one kind at its utmost, or several together. About one
in 10,000 unrelated pairs reaches it; most of those that were read are two wordings of one author (0061)."""

MOST_HOLDERS = 32
"""A mark held by more families than this (or than a tenth of them) is a fashion, and joins nobody."""

MOST_MARKS = 64
"""Marks of one family that count: those with the smallest hashes."""

MOST_SOURCES = 12
"""A slot shingle of more families than this is a phrase, no item."""

MOST_SLOTS = 1_024
"""Slot shingles of one family that count: those with the smallest hashes, the same in every family."""

MOST_SENDERS = 16
"""More accounts of one family than this send no item, but a branch of its fixed text or a fashion."""

PARTNERS = 8
"""Two families of one field share some slot text, too: a source tie must exceed what either shares with its
eighth-best partner. An operator's families with one list are seldom more."""

MOST_FAMILIES = 8_192
"""Families that wording is compared among: the first ones given, so the caller puts the most used first."""

NEIGHBOURS = 48
"""Nearest neighbours that each family may bring forward."""

MOST_ACCOUNTS = 512
"""Accounts of one family that are looked at to see whether two families share any: those with the smallest
mixed numbers, the same in every family."""

MOST_HELD = 32
"""An account with more families than this is a gateway or a test bench: what it holds says nothing."""


@dataclass(frozen=True, slots=True)
class Ties:
    """Ties between n families, each pair once a kind, ordered by pair and kind.

    first, second : int64; first < second
    kind : int8; a position in KINDS
    strength : float64; natural log of how much likelier this is between two families of one operator than
        between unrelated ones; LEAST_STRENGTH to MOST_STRENGTH
    """

    first: Ints
    second: Ints
    kind: npt.NDArray[np.int8]
    strength: Floats

    def __len__(self) -> int:
        return len(self.first)

    @classmethod
    def none(cls) -> Self:
        """No ties."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8), np.empty(0))

    @classmethod
    def together(cls, parts: Sequence["Ties"]) -> Self:
        """Ties of several kinds in one table."""
        if not parts:
            return cls.none()
        first, second = (
            np.concatenate([getattr(part, side) for part in parts]) for side in ("first", "second")
        )
        kind = np.concatenate([part.kind for part in parts])
        order = np.lexsort((kind, second, first))
        strength = np.concatenate([part.strength for part in parts])
        return cls(first[order], second[order], kind[order], strength[order])

    def touching(self, wanted: npt.NDArray[np.bool_]) -> Self:
        """Those with an end among the wanted families: tonight's, when earlier ones are given too."""
        kept = wanted[self.first] | wanted[self.second]
        return type(self)(self.first[kept], self.second[kept], self.kind[kept], self.strength[kept])

    def added(self) -> tuple[Ints, Ints, Floats, Ints]:
        """One row per pair: (first, second, sum of strengths, number of kinds)."""
        if len(self) == 0:
            return self.first, self.second, self.strength, np.empty(0, np.int64)
        begins = np.flatnonzero(
            (np.diff(self.first, prepend=-1) != 0) | (np.diff(self.second, prepend=-1) != 0)
        )
        n_kinds = np.diff(begins, append=len(self))
        return self.first[begins], self.second[begins], np.add.reduceat(self.strength, begins), n_kinds


def _ties(kind: str, first: npt.ArrayLike, second: npt.ArrayLike, strength: Floats) -> Ties:
    """Keep what is strong enough, capped and in order."""
    kept = strength >= LEAST_STRENGTH
    low, high = np.asarray(first, np.int64)[kept], np.asarray(second, np.int64)[kept]
    order = np.lexsort((high, low))
    code = np.full(len(order), KINDS.index(kind), np.int8)
    return Ties(low[order], high[order], code, np.minimum(strength[kept], MOST_STRENGTH)[order])


def evidence_of(minus_log_p: Floats) -> Floats:
    """What a p-value is worth as a log-likelihood ratio, at most: -ln(e p ln(1/p)), 0 for p above 1/e.

    Taking the p-value itself would count "this or anything stranger" as if it were this.

    Source: Sellke, Bayarri, Berger, The American Statistician 55 (2001) 62.
    """
    logs = np.maximum(minus_log_p, 1.0)
    worth: Floats = logs - 1.0 - np.log(logs)
    return worth


# --- contract -----------------------------------------------------------------------------------------------


def contract_ties(marks: npt.NDArray[np.unsignedinteger], starts: Ints) -> Ties:
    """Tie families that demand the same unusual form of the answer.

    Parameters
    ----------
    marks : uint32 or uint64, flat: hashes of demanded tags, keys, headings and labels
    starts : int64, shape (n_families + 1,); family f owns marks[starts[f]:starts[f + 1]], a set

    Returns
    -------
    Ties of kind contract. A mark weighs the log of the families that do not hold it over those that do, the
    pair itself left out and one added. Marks come in bundles (a tag closes what it opened), so n shared ones
    are worth the square root of n; what only one of the two demands takes away its share. One mark alone is
    never enough for a group by itself: among 400 families it is worth three.

    Raises
    ------
    ValueError : `starts` does not partition the marks.
    """
    n = _n_segments(starts, len(marks))
    family = np.repeat(np.arange(n), np.diff(starts))
    family, marks = _distinct(family, marks, MOST_MARKS)
    mark, n_holders = _numbered(marks)
    most = min(MOST_HOLDERS, max(2, n // 10))
    joins = (n_holders >= 2) & (n_holders <= most)
    weight = np.log((n - 1) / np.maximum(n_holders - 1, 1)) if n > 1 else np.zeros(len(n_holders))
    total = np.bincount(family, weights=weight[mark], minlength=n)
    rare = joins[mark]
    shape = (n, len(n_holders))
    holds = csr_matrix((np.sqrt(weight[mark[rare]]), (family[rare], mark[rare])), shape=shape)
    first, second, shared = _products(holds)
    if len(first) == 0:
        return Ties.none()
    holds.data[:] = 1.0
    _, _, n_shared = _products(holds)
    overlap = shared / (total[first] + total[second] - shared)
    return _ties("contract", first, second, evidence_of(overlap * shared / np.sqrt(n_shared)))


# --- source -------------------------------------------------------------------------------------------------


def source_ties(
    family: Ints, shingle: npt.NDArray[np.unsignedinteger], n_accounts: Ints, n_families: int
) -> Ties:
    """Tie families whose slots are filled from one list.

    Parameters
    ----------
    family, shingle, n_accounts : shape (n_rows,); a sample of the shingles in each family's requests that are
        not its own fixed text, and how many of its accounts sent them. A shingle is in the sample of every
        family or of none (its hash decides), else samples could not be compared.
    n_families : families are numbered 0 to n_families - 1

    Returns
    -------
    Ties of kind source. A shingle of k families points from each to the k - 1 others, and counts with the
    square of 1/(k - 1): an item is two families', a phrase everybody's. One that more than MOST_SENDERS of
    a family's accounts send is branching fixed text, no item of a queue, and does not count. What two
    families share is compared with the most that either shares with its eighth-best partner, or by chance
    given how much each shares at all; the strength is the log ratio of two Poisson laws, one with the mean
    seen, one with that by chance.

    Raises
    ------
    ValueError : arrays of different lengths, or a family out of range.
    """
    if not len(family) == len(shingle) == len(n_accounts):
        raise ValueError("family, shingle and n_accounts must have one entry per row each")
    if len(family) == 0:
        return Ties.none()
    if family.min() < 0 or family.max() >= n_families:
        raise ValueError(f"families must be numbered from 0 to {n_families - 1}")
    is_item = n_accounts <= MOST_SENDERS
    family, shingle = _distinct(family[is_item], shingle[is_item], MOST_SLOTS)
    item, n_holders = _numbered(shingle)
    joins = ((n_holders >= 2) & (n_holders <= MOST_SOURCES))[item]
    weight = 1.0 / np.maximum(n_holders[item[joins]] - 1, 1)
    shape = (n_families, len(n_holders))
    first, second, shared = _products(csr_matrix((weight, (family[joins], item[joins])), shape=shape))
    if len(first) == 0:
        return Ties.none()
    usual = _eighth_best(first, second, shared, n_families)
    in_all = np.bincount(np.concatenate([first, second]), np.concatenate([shared, shared]), n_families)
    others = (in_all[first] - shared) * (in_all[second] - shared) / in_all.sum()
    by_chance = np.maximum(np.maximum(usual[first], usual[second]), others) + 0.5
    ratio = np.maximum(shared / by_chance, 1.0)
    return _ties("source", first, second, shared * np.log(ratio) - np.maximum(shared - by_chance, 0.0))


def _eighth_best(first: Ints, second: Ints, shared: Floats, n_families: int) -> Floats:
    """What each family shares with its PARTNERS-th best partner; 0 with fewer."""
    family = np.concatenate([first, second])
    value = np.concatenate([shared, shared])
    order = np.lexsort((-value, family))
    family, value = family[order], value[order]
    starts = np.searchsorted(family, np.arange(n_families + 1))
    place = starts[:-1] + PARTNERS - 1
    usual = np.zeros(n_families)
    enough = place < starts[1:]
    usual[enough] = value[place[enough]]
    return usual


# --- wording ------------------------------------------------------------------------------------------------


def wording_ties(
    skeletons: Sequence[str],
    accounts: Ints,
    account_starts: Ints,
    exemplars: Sequence[Sequence[str]] | None = None,
) -> Ties:
    """Tie families whose fixed words are unusually alike, in any order.

    Parameters
    ----------
    skeletons : readable forms of n families, slots as `<slot>`, `<text>`, `<number>`, `<code>`, `<json>`; the
        most used first, for only MOST_FAMILIES take part. A family with an empty one is tied to none.
    accounts : int64, flat; family f is used by accounts[account_starts[f]:account_starts[f + 1]]
    exemplars : a few requests of each family, where there are any

    Returns
    -------
    Ties of kind wording: the cosine of two families' letter triples to quintuples within words, each weighed
    by how few families have it, measured in each of the two families' own spread of cosines (a commonplace
    instruction is like everything), and that in the night's spread over families that share no account.

    Languages: words of different languages share no letters, so a translation is not tied here; names, keys
    and numbers that it keeps are words like any other.

    Sources: tf-idf, Salton & Buckley, Inf. Proc. & Management 24 (1988) 513; mutual standardisation against
    hubs, Schnitzer et al., JMLR 13 (2012) 2871. Why no SVD on top: docs/decisions/0061.
    """
    n = _n_segments(account_starts, len(accounts))
    if len(skeletons) != n or (exemplars is not None and len(exemplars) != n):
        raise ValueError("one skeleton, and one list of exemplars, for each family")
    words = [_words(skeleton) for skeleton in skeletons[:MOST_FAMILIES]]
    if exemplars is not None:
        words = [" ".join([own, *some]) for own, some in zip(words, exemplars, strict=False)]
    spoken = np.flatnonzero([len(text) >= _LEAST_CHARS for text in words])
    if len(spoken) < _LEAST_FAMILIES:
        return Ties.none()
    sampled, sample_starts = _sampled(accounts, account_starts)
    near = _neighbours([words[family] for family in spoken], _users(sampled, sample_starts)[spoken])
    if len(near.first) == 0:
        return Ties.none()
    first, second = spoken[near.first], spoken[near.second]
    apart = _n_common(sampled, sample_starts, first, second) == 0
    n_pairs = len(spoken) * (len(spoken) - 1) // 2
    return _ties("wording", first, second, evidence_of(_minus_log_p(near.unlikeness, apart, n_pairs)))


_LEAST_CHARS = 24
"""A shorter skeleton is no instruction."""

_LEAST_FAMILIES = 25

_BLOCK = 512
_GRAMS = 1 << 20
_COMMON_GRAM = 3
_SLOTS = ("<slot>", "<text>", "<number>", "<code>", "<json>")


@dataclass(frozen=True, slots=True)
class _Near:
    first: Ints
    second: Ints
    unlikeness: Floats
    """In standard deviations of the less surprised of the two."""


def _words(skeleton: str) -> str:
    for slot in _SLOTS:
        skeleton = skeleton.replace(slot, " ")
    return skeleton.strip()


def _users(accounts: Ints, starts: Ints) -> csr_matrix:
    """Families by the accounts that are looked at, without those that hold everything."""
    account, n_held = _numbered(accounts)
    telling = (n_held[account] <= MOST_HELD).astype(np.float32)
    users = csr_matrix((telling, account, starts), shape=(len(starts) - 1, len(n_held)))
    users.eliminate_zeros()
    return users


def _neighbours(words: list[str], users: csr_matrix) -> _Near:
    """The pairs that stand out in both families' own spread of cosines, NEIGHBOURS a family at most.

    The spread is over families of one language that share no account: a rewriter's hundred fragments must not
    make one another look ordinary.
    """
    rows, tongues = _letters(words), _tongues(words)
    n = rows.shape[0]
    middle, spread = np.full(n, np.inf), np.ones(n)
    columns = rows.T.tocsr()
    n_near = min(NEIGHBOURS, n - 1)
    near = np.empty((n, n_near), np.int64)
    cosine = np.empty((n, n_near))
    every = -(-n // _SAMPLED_PEERS)
    peers, strangers = tongues[::every].T.tocsr(), users[::every].T.tocsr()
    for begin in range(0, n, _BLOCK):
        end = min(begin + _BLOCK, n)
        block = (rows[begin:end] @ columns).toarray()
        block[np.arange(end - begin), np.arange(begin, end)] = -1.0
        near[begin:end] = np.argpartition(-block, n_near - 1, axis=1)[:, :n_near]
        cosine[begin:end] = np.take_along_axis(block, near[begin:end], axis=1)
        some = np.arctanh(np.clip(block[:, ::every], 0.0, 0.999))
        tongue = np.where(block[:, ::every] >= 0.0, (tongues[begin:end] @ peers).toarray(), 0.0)
        third = -np.partition(-tongue, min(2, tongue.shape[1] - 1), axis=1)[:, min(2, tongue.shape[1] - 1)]
        is_peer = tongue > np.clip(_OF_THIRD * third, *_ONE_TONGUE)[:, None]
        is_peer &= (users[begin:end] @ strangers).toarray() == 0.0
        for row in np.flatnonzero(is_peer.sum(axis=1) >= _LEAST_PEERS):
            low, high = np.quantile(some[row, is_peer[row]], (0.5, 0.9))
            middle[begin + row], spread[begin + row] = low, (high - low) / _NINTH_DECILE
    here = np.repeat(np.arange(n), n_near)
    there = near.ravel()
    pairs, at = np.unique(np.minimum(here, there) * n + np.maximum(here, there), return_index=True)
    first, second = pairs // n, pairs % n
    bent = np.arctanh(np.clip(cosine.ravel()[at], 0.0, 0.999))
    spread += _LEAST_SPREAD
    stands_out = np.minimum((bent - middle[first]) / spread[first], (bent - middle[second]) / spread[second])
    return _Near(first, second, stands_out)


_SAMPLED_PEERS = 1_024
_OF_THIRD, _ONE_TONGUE = 0.75, (0.20, 0.36)
"""A family's peers speak its language: their letter triples, common ones included, are three quarters as much
like its own as those of the third likest are (short texts are less like anything), within these bounds. Of
eighteen languages of one pool, one pair in fifty of two languages is alike by the upper one."""
_LEAST_PEERS = 24
"""Fewer families in a language have no spread to be measured in: two Finnish ones among English ones are
alike for being Finnish."""

_NINTH_DECILE = 1.2816
"""Of a normal law, in standard deviations: the spread is read below it, where no relatives are."""
_LEAST_SPREAD = 1e-3


def _letters(words: list[str]) -> csr_matrix:
    """Rows of unit length: letter triples to quintuples within words, by how few families have each."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # noqa: PLC0415

    grams = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 5),
        n_features=_GRAMS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    ).fit_transform(words)
    rows = TfidfTransformer(sublinear_tf=True).fit_transform(grams).tocsr().astype(np.float32)
    # Letters of a third of all families weigh next to nothing and are most of the multiplying.
    n_holders = np.bincount(rows.indices, minlength=_GRAMS)
    rows.data[(n_holders > max(len(words) / _COMMON_GRAM, 2))[rows.indices]] = 0.0
    rows.data[(n_holders < 2)[rows.indices]] = 0.0
    rows.eliminate_zeros()
    return rows


def _tongues(words: list[str]) -> csr_matrix:
    """Rows of unit length: letter triples, none weighed down for being common."""
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415
    from sklearn.preprocessing import normalize  # noqa: PLC0415

    grams = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(3, 3),
        n_features=_GRAMS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    ).fit_transform([text[:_TONGUE_CHARS] for text in words])
    return normalize(grams.sqrt()).tocsr()


_TONGUE_CHARS = 2_000

_TAIL_FROM, _TAIL_TO = 0.99, 0.999
"""Shares of pairs between which the fall of the tail is read. Above, relatives would be taken for chance."""
_USUAL_FROM, _USUAL_FALL = 4.0, 1.0
_USUAL_WEIGHT = 200.0
"""What the tail of an ordinary night looks like, and how many pairs of tonight outweigh that knowledge."""


def _minus_log_p(stands_out: Floats, apart: npt.NDArray[np.bool_], n_pairs: int) -> Floats:
    """How seldom unrelated families are so alike: the tail of the night's pairs without a common account.

    Beyond the pair one in a hundred the tail falls exponentially; its rate is read off up to one in a
    thousand, the stronger pairs counted as "at least that" (the censored estimate).
    """
    null = np.sort(stands_out[apart])[::-1]
    n_tail, n_beyond = int(n_pairs * (1.0 - _TAIL_FROM)), int(n_pairs * (1.0 - _TAIL_TO))
    start = null[min(n_tail, len(null) - 1)] if len(null) else _USUAL_FROM
    most = null[min(n_beyond, len(null) - 1)] if len(null) else start
    excess = np.minimum(null[: min(n_tail, len(null))], most) - start
    n_seen = max(len(excess) - n_beyond, 0)
    fall = (excess.sum() + _USUAL_FALL * _USUAL_WEIGHT) / (n_seen + _USUAL_WEIGHT)
    start = (start * n_seen + _USUAL_FROM * _USUAL_WEIGHT) / (n_seen + _USUAL_WEIGHT)
    logs: Floats = -np.log(1.0 - _TAIL_FROM) + (stands_out - start) / fall
    return np.where(stands_out > start, logs, 0.0)


# --- fragments ----------------------------------------------------------------------------------------------


def fragment_ties(accounts: Ints, account_starts: Ints, support: Ties) -> Ties:
    """Tie families that the same accounts hold, where wording or contract agree: a rewriter's fragments.

    Parameters
    ----------
    accounts, account_starts : as for `wording_ties`
    support : ties of kind contract and wording; only pairs tied so are looked at, so that a busy account, or
        a thousand of them, adds no pair

    Returns
    -------
    Ties of kind fragments: how far the number of common accounts exceeds twice what two families of these
    sizes share when accounts choose freely, as the log ratio of two Poisson laws.
    """
    n = _n_segments(account_starts, len(accounts))
    agreeing = np.isin(support.kind, (KINDS.index("contract"), KINDS.index("wording")))
    pairs = np.unique(support.first[agreeing] * n + support.second[agreeing])
    if len(pairs) == 0:
        return Ties.none()
    family = np.repeat(np.arange(n), np.diff(account_starts))
    account, n_held = _numbered(accounts)
    telling = n_held[account] <= MOST_HELD
    family, account = _distinct(family[telling], account[telling], MOST_ACCOUNTS)
    starts = np.searchsorted(family, np.arange(n + 1))
    size = np.diff(starts)
    held = np.bincount(account)
    first, second = pairs // n, pairs % n
    common = _n_common(account, starts, first, second).astype(np.float64)
    by_chance = np.maximum(_BUSY * size[first] * size[second] / max(len(held), 1), 0.5)
    ratio = np.maximum(common / by_chance, 1.0)
    strength = common * np.log(ratio) - np.maximum(common - by_chance, 0.0)
    return _ties("fragments", first, second, np.where(common >= _LEAST_COMMON, strength, 0.0))


_BUSY = 2.0
"""Accounts that use one template use another more often than by chance: some are busier than others."""
_LEAST_COMMON = 3
"""Two accounts with the same two families are a chance or a household."""


# --- groups -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of tied families, the strongest first.

    family : int64, flat; group g holds family[starts[g]:starts[g + 1]], ascending
    starts : int64, shape (n_groups + 1,)
    strength : float64, shape (n_groups,); mean of the added ties inside
    n_ties : int64, shape (n_groups,); pairs inside that are tied
    """

    family: Ints
    starts: Ints
    strength: Floats
    n_ties: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    def members(self, group: int) -> Ints:
        """Families of one group, ascending."""
        return self.family[self.starts[group] : self.starts[group + 1]]


def tie_groups(ties: Ties, n_families: int, least_strength: float) -> Groups:
    """Groups of families that are tied among each other, not merely along a chain.

    Parameters
    ----------
    least_strength : ties of a pair, added up, that count

    Two families are joined by their tie. A group is joined to a family or another group only by support that
    a single mistaken tie cannot give: two ties, or one of two kinds, and ties for more than half of the
    smaller side's members. Strongest pairs first, until nothing moves.
    """
    first, second, strength, n_kinds = ties.added()
    kept = strength >= least_strength
    first, second, strength, n_kinds = first[kept], second[kept], strength[kept], n_kinds[kept]
    order = np.lexsort((second, first, -strength))
    group = _Union(n_families)
    for a, b, kinds in zip(
        first[order].tolist(), second[order].tolist(), n_kinds[order].tolist(), strict=True
    ):
        group.support(a, b, kinds)
    for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True):
        group.join(a, b)
    return _grouped(group, first, second, strength)


class _Union:
    """Disjoint sets of families that know how much supports joining any two of them."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))
        self.members: dict[int, list[int]] = {}
        self.tied: dict[int, list[int]] = {}
        """Of each family: those it is tied to."""
        self.links: dict[int, dict[int, int]] = {}
        """Of each set: the sets it is tied to, and by how many kinds of ties."""

    def find(self, one: int) -> int:
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def support(self, a: int, b: int, kinds: int) -> None:
        for one, other in ((a, b), (b, a)):
            self.members[one] = [one]
            self.tied.setdefault(one, []).append(other)
            self.links.setdefault(one, {})[other] = kinds

    def join(self, a: int, b: int) -> None:
        """Join the sets of a and b when they may be, then whatever that makes possible."""
        waiting = [(a, b)]
        while waiting:
            one, other = (self.find(end) for end in waiting.pop())
            if one == other or not self._may_join(one, other):
                continue
            if len(self.members[one]) < len(self.members[other]):
                one, other = other, one
            self.parent[other] = one
            self.members[one] += self.members.pop(other)
            for there, kinds in self.links.pop(other).items():
                del self.links[there][other]
                if there != one:
                    self.links[one][there] = self.links[there][one] = self.links[one].get(there, 0) + kinds
            waiting += [(one, there) for there in sorted(self.links[one], reverse=True)]

    def _may_join(self, one: int, other: int) -> bool:
        if len(self.members[one]) > len(self.members[other]):
            one, other = other, one
        alone = len(self.members[other]) == 1
        if self.links[one].get(other, 0) < (1 if alone else 2):
            return False
        equal = len(self.members[one]) == len(self.members[other])
        return self._mostly_tied(one, other) and (not equal or self._mostly_tied(other, one))

    def _mostly_tied(self, one: int, other: int) -> bool:
        mine = self.members[one]
        n_tied = sum(any(self.find(there) == other for there in self.tied[member]) for member in mine)
        return 2 * n_tied > len(mine)


def _grouped(group: _Union, first: Ints, second: Ints, strength: Floats) -> Groups:
    families = np.unique(np.concatenate([first, second]))
    root = np.array([group.find(one) for one in families.tolist()], np.int64)
    roots, place, size = np.unique(root, return_inverse=True, return_counts=True)
    number_of = np.full(len(group.parent), -1, np.int64)
    number_of[families] = place
    inside = number_of[first] == number_of[second]
    at = number_of[first[inside]]
    n_ties = np.bincount(at, minlength=len(roots))
    mean = np.bincount(at, strength[inside], len(roots)) / np.maximum(n_ties, 1)
    wanted = np.flatnonzero(size > 1)
    earliest = np.full(len(roots), len(group.parent))
    np.minimum.at(earliest, place, families)
    wanted = wanted[np.lexsort((earliest[wanted], -mean[wanted]))]
    members = [families[place == one] for one in wanted]
    starts = np.cumsum([0, *map(len, members)], dtype=np.int64)
    flat = np.concatenate(members) if members else np.empty(0, np.int64)
    return Groups(flat, starts, mean[wanted], n_ties[wanted].astype(np.int64))


# --- shared -------------------------------------------------------------------------------------------------


def _n_segments(starts: Ints, n_rows: int) -> int:
    if len(starts) == 0 or starts[0] != 0 or starts[-1] != n_rows or (np.diff(starts) < 0).any():
        raise ValueError("starts must begin with 0, never fall, and end where the rows do")
    return len(starts) - 1


def _mixed(values: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """Numbers as good as random, the same for the same value."""
    mixed = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    return mixed * np.uint64(0xC2B2AE3D27D4EB4F)


def _distinct(family: Ints, value: npt.NDArray[Any], most: int) -> tuple[Ints, npt.NDArray[Any]]:
    """Different values of each family, at most `most` (by a hash that no family chooses), ascending."""
    by_family = np.lexsort((value, family))
    family, value = family[by_family], value[by_family]
    new = np.ones(len(family), np.bool_)
    new[1:] = (family[1:] != family[:-1]) | (value[1:] != value[:-1])
    family, value = family[new], value[new]
    order = np.lexsort((_mixed(value), family))
    place = np.arange(len(family)) - np.searchsorted(family, family)
    kept = np.sort(order[place < most])
    return family[kept], value[kept]


def _numbered(values: npt.NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Positions of values among the distinct ones, and how many rows each of those has."""
    _, position, n_rows = np.unique(values, return_inverse=True, return_counts=True)
    return position.astype(np.int64), n_rows.astype(np.int64)


def _products(holds: csr_matrix) -> tuple[Ints, Ints, Floats]:
    """Pairs of rows with a common column, and the sum of the products there: cost as the squared columns."""
    pairs = triu(holds @ holds.T, 1).tocoo()
    order = np.lexsort((pairs.col, pairs.row))
    return pairs.row[order].astype(np.int64), pairs.col[order].astype(np.int64), pairs.data[order]


def _sampled(accounts: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """The accounts of each family that are looked at, ascending."""
    family, account = _distinct(
        np.repeat(np.arange(len(starts) - 1), np.diff(starts)), accounts, MOST_ACCOUNTS
    )
    return account, np.searchsorted(family, np.arange(len(starts))).astype(np.int64)


def _n_common(members: Ints, starts: Ints, first: Ints, second: Ints) -> Ints:
    common = np.zeros(len(first), np.int64)
    kernels.count_common(members, starts, first, second, common)
    return common
