"""Ties by wording: the fixed words of two families are unusually alike.

Here: the nearest of each family by words, and how seldom unrelated ones are so near. Not here: words as
numbers (letters), how fixed words are read off prompts (skeleton).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from detector.text.ties.holdings import MOST_HELD, Floats, Ints, n_common, n_segments, numbered, sampled
from detector.text.ties.letters import all_letters, rare_letters
from detector.text.ties.table import Ties, evidence_of, kept_ties

MOST_FAMILIES = 8_192
"""Families that wording is compared among: the first ones given, so the caller puts the most used first."""

NEIGHBOURS = 48
"""Nearest neighbours that each family may bring forward."""

_LEAST_CHARS = 24
"""A shorter skeleton is no instruction."""

_LEAST_FAMILIES = 25
"""Fewer have no spread: one and its _LEAST_PEERS."""

_SLOTS = ("<slot>", "<text>", "<number>", "<code>", "<json>")

_BLOCK = 512
"""Families whose cosines with all others are in memory at a time."""

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

_TAIL_FROM, _TAIL_TO = 0.99, 0.999
"""Shares of pairs between which the fall of the tail is read. Above, relatives would be taken for chance."""

_USUAL_FROM, _USUAL_FALL = 4.0, 1.0
_USUAL_WEIGHT = 200.0
"""What the tail of an ordinary night looks like, and how many pairs of tonight outweigh that knowledge."""


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
    n = n_segments(account_starts, len(accounts))
    if len(skeletons) != n or (exemplars is not None and len(exemplars) != n):
        raise ValueError("one skeleton, and one list of exemplars, for each family")
    words = [_words(skeleton) for skeleton in skeletons[:MOST_FAMILIES]]
    if exemplars is not None:
        words = [" ".join([own, *some]) for own, some in zip(words, exemplars, strict=False)]
    spoken = np.flatnonzero([len(text) >= _LEAST_CHARS for text in words])
    if len(spoken) < _LEAST_FAMILIES:
        return Ties.none()
    who, starts = sampled(accounts, account_starts)
    near = _neighbours([words[family] for family in spoken], _users(who, starts)[spoken])
    if len(near.first) == 0:
        return Ties.none()
    first, second = spoken[near.first], spoken[near.second]
    apart = n_common(who, starts, first, second) == 0
    n_pairs = len(spoken) * (len(spoken) - 1) // 2
    return kept_ties("wording", first, second, evidence_of(_minus_log_p(near.unlikeness, apart, n_pairs)))


@dataclass(frozen=True, slots=True)
class _Near:
    first: Ints
    second: Ints
    unlikeness: Floats
    """In standard deviations of the less surprised of the two; minus infinity where one has no spread."""


def _words(skeleton: str) -> str:
    for slot in _SLOTS:
        skeleton = skeleton.replace(slot, " ")
    return skeleton.strip()


def _users(accounts: Ints, starts: Ints) -> csr_matrix:
    """Families by the accounts that are looked at, without those that hold everything."""
    account, n_held = numbered(accounts)
    telling = (n_held[account] <= MOST_HELD).astype(np.float32)
    users = csr_matrix((telling, account, starts), shape=(len(starts) - 1, len(n_held)))
    users.eliminate_zeros()
    return users


def _neighbours(words: list[str], users: csr_matrix) -> _Near:
    """The pairs that stand out in both families' own spread of cosines, NEIGHBOURS a family at most.

    The spread is over families of one language that share no account: a rewriter's hundred fragments must not
    make one another look ordinary.
    """
    rows, tongues = rare_letters(words), all_letters(words)
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


def _minus_log_p(stands_out: Floats, apart: npt.NDArray[np.bool_], n_pairs: int) -> Floats:
    """How seldom unrelated families are so alike: the tail of the night's pairs without a common account.

    Beyond the pair one in a hundred the tail falls exponentially; its rate is read off up to one in a
    thousand, the stronger pairs counted as "at least that" (the censored estimate).
    """
    # A pair that was not measured is no observation; as the edge of the tail it would make every pair NaN.
    null = np.sort(stands_out[apart & np.isfinite(stands_out)])[::-1]
    n_tail, n_beyond = int(n_pairs * (1.0 - _TAIL_FROM)), int(n_pairs * (1.0 - _TAIL_TO))
    start = null[min(n_tail, len(null) - 1)] if len(null) else _USUAL_FROM
    most = null[min(n_beyond, len(null) - 1)] if len(null) else start
    excess = np.minimum(null[: min(n_tail, len(null))], most) - start
    n_seen = max(len(excess) - n_beyond, 0)
    fall = (excess.sum() + _USUAL_FALL * _USUAL_WEIGHT) / (n_seen + _USUAL_WEIGHT)
    start = (start * n_seen + _USUAL_FROM * _USUAL_WEIGHT) / (n_seen + _USUAL_WEIGHT)
    logs: Floats = -np.log(1.0 - _TAIL_FROM) + (stands_out - start) / fall
    return np.where(stands_out > start, logs, 0.0)
