"""One scheduler or several? Who deals out work gives all accounts like loads.

Here: the loads of groups, and whether a group is several operators'. Not here: parts by their texts (parts),
what even loads are evidence of (evidence), which of overlapping groups stand (standing).

Operators share texts, published ones above all, and one operator's teams have texts of their own. What tells
these apart is the load, since one scheduler gives all its accounts about the same and two do not agree by
chance, and the pocket: who pays for accounts of both is one.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from detector.campaigns.communities import LEAST_PART
from detector.campaigns.group import Group
from detector.campaigns.loads import ALIKE, far_apart, is_counted, is_dealt, is_sum, quotas, same_load
from detector.campaigns.population import Bool, Float64, Int64
from detector.campaigns.refining import LEAST_MEMBERS

MOSTLY = 0.6
"""Share of a group that its parts must make up between them to take its place."""

WITHIN = 0.9
"""Share of a group's accounts that another one holds when the first is a part of it."""


def loads(group: Group) -> Float64:
    """Requests of each member from the texts that the group shares; all its requests where it shares none.
    float64, shape (n_members,), in the order of the members."""
    templated = group.templated_requests
    return templated if templated.any() else group.population.n_requests[group.members]


def is_mixture(whole: Group, inner: Sequence[Group], rented: Bool | None = None) -> bool:
    """Whether a group is several operators', given the groups within it that would stand without it.

    Those make up most of it, the smallest left aside, and one of these holds: the accounts of one are dealt
    another load than the rest, or than those of another one; the accounts that two of them share do more than
    the others, since they work for both; or one has texts of its own and no card in common with the rest,
    where cards dealt to all alike would be.

    rented : bool, shape (n_members,): members who work for another group as well (`works_for_both`): their
        load tells nothing. Nobody when not given
    """
    own = np.ones(len(whole.members), np.bool_) if rented is None else ~rented
    inner = [group for group in inner if len(group.members) >= LEAST_PART * len(whole.members)]
    held = np.array([np.isin(whole.members, group.members) for group in inner]).reshape(len(inner), len(own))
    n_holding = held.sum(axis=0)[own]
    if not inner or not own.any() or (n_holding > 0).mean() < MOSTLY:
        return False
    templated, requests = loads(whole), whole.population.n_requests[whole.members]
    mine = requests[own]
    if any(are_two(templated, requests, one & own, own & ~one) for one in held):
        return True
    if works_more(mine[n_holding > 1], mine[n_holding <= 1]) or works_more(
        mine[n_holding > 1], mine[n_holding == 1]
    ):
        return True
    # Of three operators the rest of each is a mixture itself, dealt by nobody: parts are compared, too.
    payment = whole.population.payment[whole.members]
    parts = [part & own for part in _apart(whole, inner)]
    pairs = list(combinations(parts, 2))
    return any(are_two(templated, requests, one, other) for one, other in pairs) or any(
        apart_by_card(payment[one], payment[other]) and apart_by_text(whole, one, other)
        for one, other in (*pairs, *((part, own & ~part) for part in parts))
    )


NEARLY_ALL = 0.8
"""Share of accounts that have a quota, where quotas were given, and of one quota's in a group that knows one:
newcomers, replaced accounts and a few of somebody else's aside."""


def has_quotas(whole: Group, others: Sequence[Group], rented: Bool) -> bool:
    """Whether a group's accounts were given different quotas, nearly all of them, and other groups that would
    stand, each of which holds accounts of one quota only, hold most of it between them.

    rented : as for `is_mixture`
    """
    own = whole.members[~rented]
    quota = quotas(whole.population.n_requests[own], LEAST_MEMBERS)
    if (quota >= 0).sum() < max(NEARLY_ALL * len(own), 1):
        return False
    pure = np.zeros(len(own), np.bool_)
    for group in others:
        held = np.isin(own, group.members)
        _, n_of = np.unique(quota[held], return_counts=True)
        if n_of.max(initial=0) >= NEARLY_ALL * held.sum():
            pure |= held
    return bool(pure.mean() >= MOSTLY)


MOST_PARTS = 8
"""Parts of a group that are compared with one another, the largest: all pairs of so many are few."""


def _apart(whole: Group, inner: Sequence[Group]) -> list[Bool]:
    """Members of the largest groups within a group that have hardly an account in common: bool, shape
    (n_members,) each, without those of an earlier one."""
    taken = np.zeros(len(whole.members), dtype=np.bool_)
    parts: list[Bool] = []
    for group in sorted(inner, key=lambda group: (-len(group.members), group.members[:1].tolist())):
        mine = np.isin(whole.members, group.members)
        if (mine & taken).sum() > (1 - WITHIN) * mine.sum():
            continue
        parts.append(mine & ~taken)
        taken |= mine
        if len(parts) == MOST_PARTS:
            break
    return parts


def apart_by_card(one: Int64, other: Int64) -> bool:
    """Whether two sets of accounts are paid for from different pockets: cards pay for several accounts of
    either, never for both, and had they been dealt to all accounts alike, some would.

    one, other : code of each account's payment instrument; negative where it is not known
    """
    one, other = one[one >= 0], other[other >= 0]
    codes, pays_for = np.unique(np.concatenate([one, other]), return_counts=True)
    in_one = np.isin(codes, one)
    if (in_one & np.isin(codes, other)).any():
        return False
    n_together = pays_for[pays_for > 1]
    if len(n_together) == 0:
        return False
    # All accounts of a card on one side: of k accounts, share**k for either side.
    share = len(one) / (len(one) + len(other))
    log_chance = np.log(share**n_together + (1 - share) ** n_together).sum()
    return bool(log_chance <= np.log(ALIKE))


MOST_OF_THEM, HARDLY_ANY = 0.5, 0.05
"""Share of some accounts that use a text which is theirs, and of others, to whom it is strange."""


def apart_by_text(whole: Group, one: Bool, other: Bool) -> bool:
    """Whether one of two sets of members uses a text that the other hardly knows. One operator's accounts
    come in lots, too, each with its cards; but what a lot is told to ask is no other than the rest is."""
    layer = whole.population.layer(whole.layer)
    if layer is None or not one.any() or not other.any():
        return False
    texts, text = np.unique(layer.object[whole.rows], return_inverse=True)
    member = np.searchsorted(whole.members, whole.account)
    here = np.bincount(text[one[member]], minlength=len(texts)) / one.sum()
    there = np.bincount(text[other[member]], minlength=len(texts)) / other.sum()
    return bool((
        ((here >= MOST_OF_THEM) & (there <= HARDLY_ANY)) | ((there >= MOST_OF_THEM) & (here <= HARDLY_ANY))
    ).any())  # fmt: skip


def are_two(templated: Float64, requests: Float64, one: Bool, other: Bool) -> bool:
    """Whether no scheduler deals these two sets of accounts their requests side by side.

    templated, requests : loads of the same accounts, from the texts they share and altogether. Where a
        scheduler counts out the same number to either set, a text that is known of half of them only tells
        nothing.
    one, other : bool, which of the accounts are compared
    """
    if differ(templated[one], templated[other]):
        return not (is_counted(requests[one | other]) and same_load(requests[one], requests[other]))
    return False


def differ(one: Float64, other: Float64) -> bool:
    """Whether no scheduler deals these two sets of loads, requests per account, side by side."""
    return (is_dealt(one) and is_dealt(other) and not same_load(one, other)) or far_apart(one, other)


def works_more(one: Float64, other: Float64) -> bool:
    """Whether the first of two sets of loads is dealt more than the other."""
    return differ(one, other) and one.mean() > other.mean()


def works_for_both(whole: Group, other: Group) -> Bool:
    """Members of a group who work for another one as well: those they have in common, if these are dealt as
    much as the rest of either together, and of each one's own texts as much as the rest of it. bool, shape
    (n_members,).

    Two operators rent from one seller: some accounts are given to both, and each gives them its load. Told
    from a mixture of several operators by the sum; three operators' loads may add up by chance, and then the
    texts are not theirs.
    """
    common = np.isin(whole.members, other.members)
    of_other = np.isin(other.members, whole.members)
    requests = whole.population.n_requests
    in_both, here = requests[whole.members[common]], requests[whole.members[~common]]
    there = requests[other.members[~of_other]]
    if min(len(in_both), len(here), len(there)) < LEAST_MEMBERS:
        return np.zeros(len(whole.members), np.bool_)
    all_dealt = is_dealt(in_both) and is_dealt(here) and is_dealt(there)
    return common & (
        all_dealt
        and is_sum(in_both, here, there)
        and _does_its_work(whole, common, other.members[~of_other])
        and _does_its_work(other, of_other, whole.members[~common])
    )


def _does_its_work(group: Group, some: Bool, strangers: Int64) -> bool:
    """Whether some members send as much from the group's own texts as the others do. True where the group has
    no text of its own: then that cannot be asked.

    strangers : int64, positions of accounts to whom a text is strange that is the group's own
    """
    layer = group.population.layer(group.layer)
    if layer is None:
        return True
    text, member = layer.object[group.rows], np.searchsorted(group.members, group.account)
    theirs = layer.object[group.population.rows_of(layer, strangers)]
    n_texts = layer.n_objects
    here = np.bincount(text[~some[member]], minlength=n_texts) / max((~some).sum(), 1)
    there = np.bincount(theirs, minlength=n_texts) / max(len(strangers), 1)
    is_own = ((here >= MOST_OF_THEM) & (there <= HARDLY_ANY))[text]
    if not is_own.any():
        return True
    sent = np.asarray(
        np.bincount(member[is_own], group.uses.n_requests[is_own], len(group.members)), np.float64
    )
    return same_load(sent[some], sent[~some])
