"""Who belongs to a group: members leave and others join by the objects that set the group apart.

Here: typical objects of a group, and what an account's objects and behaviour say of its membership. Not here:
where groups come from (communities), whether one is a campaign (evidence, decision).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.sparse import csr_matrix

from detector.campaigns.likeness import Likeness
from detector.campaigns.population import (
    CONTENT_LAYERS,
    IDENTITY_LAYERS,
    Bool,
    Float64,
    Int64,
    Population,
    SharedObjects,
)
from detector.campaigns.usage import breadth, novelty, scarcity
from detector.kernels import membership as kernels

MEMBER_LOG_ODDS = 2.0
"""Posterior log-odds of membership that an account needs: seven to one."""

NEARLY_ALL = 0.9
"""Text that this share of a group's members carry is expected of a member. Only text: cards, addresses and
kits are dealt out in lots, and one lot must not shut out the next."""

MOST_OF_THEM = 0.5
"""Share of accounts that counts as most: of members with a card or an address, that know a text which nearly
all members carry; of a community, that have sent its foremost text."""

STRAY = 0.1
"""Of what a group's foremost text says of all its users together, the part below which another text is a few
members' own: what they talk of under cover, which many others do, too."""

LEFT_OUT = 0.02
"""Chance that a member lacks what nearly all carry, however sure the group seems of it: pools are renewed."""

LEAST_MEMBERS = 5
"""Statistics of fewer accounts say little; smaller groups are left to the review of single accounts."""

LAYER_WEIGHT = {
    "template": 1.0,  # the strongest lever in the public record: one text across thousands of accounts
    "payment": 1.0,
    "system_prompt": 0.5,  # frameworks share theirs among thousands of unrelated users
    "tool_set": 0.3,
    "client": 0.3,  # default tuples of a popular kit
    "address": 0.5,  # offices, universities and carriers put many people behind one
    "parameters": 0.2,
    "fail_over": 0.5,  # one client holds the keys of both: an operator's, or a reseller's
    "size": 1.0,  # of accounts whose texts are not known: what is left of a template
    "sign_up": 0.2,  # courses and customers that come on board sign up in one hour, too
}
"""How far sharing an object of each kind speaks for one operator rather than one supplier or one roof."""

MOST_SURPRISE = 8.0
"""Cap of one object's log-likelihood ratio, odds of 3000: no single object convicts."""


NOBODY = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group of accounts that may be one operator's.

    members : int64, ascending positions of accounts
    strength : float64, 0 to 1: posterior of each one's membership, given that the group is one
    core : int64, ascending positions of the objects that hold it together
    core_log_ratio : float64: log of how much more common each is inside than outside
    by_habits : told from a larger group by what its accounts do, not by what they share
    """

    members: Int64
    strength: Float64
    core: Int64
    core_log_ratio: Float64
    by_habits: bool = False

    def without(self, accounts: Int64) -> "Candidate":
        """The candidate without some accounts; the same where hardly anybody would be left."""
        stays = ~np.isin(self.members, accounts)
        if stays.all() or stays.sum() < LEAST_LEFT:
            return self
        return replace(self, members=self.members[stays], strength=self.strength[stays])


def refine(
    seed: Int64, population: Population, objects: SharedObjects, likeness: Likeness
) -> Candidate | None:
    """Let members leave and others join by the objects that set the seed apart; None when too few remain.

    The posterior log-odds of an account are the prior (the group's size against the night's), plus, for each
    object that is typical of the group, the log of how much more common it is inside than outside, scaled by
    how much of the account's night carried it against what is usual inside. One viral prompt used once does
    not make a member; a campaign that hides its template in cover traffic is measured by its own share, not
    by a fixed one. Behaviour counts a little: an account that shares the text and behaves like nobody in the
    group is a bystander.
    """
    members = seed
    for _ in range(2):
        # Who has just left is no stranger yet: counted as one, it would make the rest seem less of a group.
        undecided = np.setdiff1d(seed, members, assume_unique=True)
        core, log_ratio = _typical_objects(members, undecided, population, objects)
        if len(core) == 0:
            return None
        may_join = _may_join(members, core, log_ratio, population, objects, likeness)
        touched, log_odds = _log_odds(members, core, log_ratio, may_join, population, objects, others=True)
        log_odds += likeness.log_odds(touched, members)
        kept = (log_odds >= MEMBER_LOG_ODDS) & ~population.approved[touched]
        if kept.sum() < LEAST_MEMBERS:
            return None
        before, members = members, touched[kept]
        if np.array_equal(members, before):
            break
    return Candidate(members, _strength(log_odds[kept]), core, log_ratio)


def split_users(seed: Int64, population: Population, objects: SharedObjects) -> tuple[int, Int64] | None:
    """The text that sets a seed apart most, and everybody who sent it, if most of the seed did.

    A community of a text's users may be split from the others by what they send besides; each part then has
    the others for strangers, and falls apart. None where no text is most members'.

    Returns
    -------
    text, users : its position, and int64, ascending positions of accounts; none with an approved use
    """
    core, log_ratio = _typical_objects(seed, NOBODY, population, objects)
    kinds = np.array([layer.kind for layer in population.layers])[objects.layer_of[core]]
    is_text = np.isin(kinds, CONTENT_LAYERS)
    texts, log_ratio = core[is_text], log_ratio[is_text]
    if len(texts) == 0:
        return None
    carried = objects.shares
    n_inside = kernels.n_carrying(carried.indptr, carried.indices, seed, texts, carried.shape[1])
    foremost = int((n_inside * log_ratio).argmax())
    if n_inside[foremost] <= MOST_OF_THEM * len(seed):
        return None
    text = int(texts[foremost])
    users = objects.by_object.indices[objects.by_object.indptr[text] : objects.by_object.indptr[text + 1]]
    return text, np.sort(users[~population.approved[users]]).astype(np.int64)


def without_strangers(candidate: Candidate, likeness: Likeness) -> Candidate:
    """The candidate without those members against whom so much speaks (`Likeness.against`) that their objects
    are not enough. Nobody is looked for in their place, and where hardly anybody would be left, all stay."""
    log_odds = special.logit(candidate.strength) + likeness.against(candidate.members)
    stays = log_odds >= MEMBER_LOG_ODDS
    if stays.sum() < LEAST_LEFT:
        return candidate
    return replace(candidate, members=candidate.members[stays], strength=_strength(log_odds[stays]))


LEAST_LEFT = 3
"""Members that a group has at least when others are taken out: two may be anybody's."""


def _strength(log_odds: Float64) -> Float64:
    return np.asarray(1 / (1 + np.exp(-np.minimum(log_odds, 30))))


def narrowed(
    part: Int64, whole: Int64, population: Population, objects: SharedObjects, likeness: Likeness
) -> Candidate | None:
    """A class of a group's accounts as a candidate by itself: members may leave, and nobody joins, since
    the text that ties part and whole would bring back whom the part was told apart from. None when too few
    remain.

    part, whole : int64, ascending positions; the rest of the whole counts as neither inside nor outside
    """
    rest = np.setdiff1d(whole, part, assume_unique=True)
    core, log_ratio = _typical_objects(part, rest, population, objects)
    if len(core) == 0:
        return None
    touched, log_odds = _log_odds(part, core, log_ratio, part, population, objects)
    log_odds += likeness.log_odds(touched, part)
    kept = (log_odds >= MEMBER_LOG_ODDS) & ~population.approved[touched]
    if kept.sum() < LEAST_MEMBERS:
        return None
    return Candidate(touched[kept], _strength(log_odds[kept]), core, log_ratio, by_habits=True)


def remaining(
    candidate: Candidate,
    kept: Bool,
    population: Population,
    objects: SharedObjects,
    likeness: Likeness,
) -> Candidate | None:
    """The candidate as some of its core objects alone would hold it together; None when too few remain.

    kept : bool, one for each object of the core. Nobody joins: asked is who of these would be left.
    """
    core, log_ratio = candidate.core[kept], candidate.core_log_ratio[kept]
    if len(core) == 0:
        return None
    members = candidate.members
    touched, log_odds = _log_odds(members, core, log_ratio, members, population, objects)
    log_odds += likeness.log_odds(touched, candidate.members)
    stays = (log_odds >= MEMBER_LOG_ODDS) & np.isin(touched, candidate.members)
    if stays.sum() < LEAST_MEMBERS:
        return None
    return Candidate(touched[stays], _strength(log_odds[stays]), core, log_ratio)


def approved_carriers(
    candidate: Candidate, population: Population, objects: SharedObjects, likeness: Likeness
) -> Int64:
    """Accounts with an approved use that the core objects would make members, had they none; ascending."""
    carriers = np.unique(objects.by_object[:, candidate.core].indices)
    approved = carriers[population.approved[carriers]]
    if len(approved) == 0:
        return np.empty(0, np.int64)
    core, log_ratio = candidate.core, candidate.core_log_ratio
    among = np.union1d(candidate.members, approved).astype(np.int64)
    touched, log_odds = _log_odds(candidate.members, core, log_ratio, among, population, objects)
    log_odds += likeness.log_odds(touched, candidate.members)
    return touched[(log_odds >= MEMBER_LOG_ODDS) & population.approved[touched]]


def _typical_objects(
    members: Int64, undecided: Int64, population: Population, objects: SharedObjects
) -> tuple[Int64, Float64]:
    """Objects carried by a twentieth of the group, at least three, and rare outside; their log ratios. Texts
    that hold hardly anybody beside the foremost one are left out. An address or a card is not the group's
    where most of the members who have it know hardly any text that nearly all others do: they would vouch
    for one another.

    undecided : accounts that count as neither inside nor outside
    """
    inside = objects.shares[members]
    carried, n_inside = np.unique(inside.indices, return_counts=True)
    n_members, n_others = len(members), len(population) - len(members) - len(undecided)
    n_outside = objects.n_accounts_of[carried] - n_inside
    if len(undecided):
        left, n_left = np.unique(objects.shares[undecided].indices, return_counts=True)
        at = np.minimum(np.searchsorted(carried, left), len(carried) - 1)
        n_outside[at[carried[at] == left]] -= n_left[carried[at] == left]
    log_ratio = np.log(((n_inside + 0.5) / (n_members + 1)) / ((n_outside + 0.5) / (n_others + 1)))
    weight = np.array([LAYER_WEIGHT[layer.kind] for layer in population.layers])[objects.layer_of[carried]]
    log_ratio = np.minimum(log_ratio, MOST_SURPRISE) * weight
    typical = (n_inside >= max(3, 0.05 * n_members)) & (log_ratio >= 0.5)
    kinds = np.array([layer.kind for layer in population.layers])[objects.layer_of[carried]]
    for kind in CONTENT_LAYERS:
        held = np.where(typical & (kinds == kind), n_inside * log_ratio, 0.0)
        typical &= (kinds != kind) | (held >= STRAY * held.max(initial=0.0))
    expected = typical & np.isin(kinds, CONTENT_LAYERS) & (n_inside >= NEARLY_ALL * n_members)
    if expected.any():
        row = np.repeat(np.arange(n_members), np.diff(inside.indptr))
        column = np.searchsorted(carried, inside.indices)
        n_expected = np.bincount(row[expected[column]], minlength=n_members)
        knows = n_expected > MOST_OF_THEM * expected.sum()
        of_those = np.bincount(column[knows[row]], minlength=len(carried))
        typical &= ~np.isin(kinds, IDENTITY_LAYERS) | (of_those >= MOST_OF_THEM * n_inside)
    return carried[typical].astype(np.int64), log_ratio[typical]


def _may_join(
    members: Int64,
    core: Int64,
    log_ratio: Float64,
    population: Population,
    objects: SharedObjects,
    likeness: Likeness,
) -> Int64:
    """The members, and every other account that could reach MEMBER_LOG_ODDS; ascending.

    Whoever carries none but the most common core objects cannot, where these together say too little. So a
    group under a framework of a hundred thousand users is weighed without them, and a thousand such groups do
    not cost a thousand times as many accounts.
    """
    layer = objects.layer_of[core]
    against = _against_lacking(members, core, layer, population, objects)
    needed = MEMBER_LOG_ODDS - np.log(len(members) / len(population)) - Likeness.MOST * len(likeness.bins)
    n_carriers = objects.n_accounts_of[core]
    telling = _telling(log_ratio, layer, n_carriers, needed)
    expected = np.flatnonzero(against)
    for rarest in expected[np.argsort(n_carriers[expected], kind="stable")][:FEW_TRIED]:
        # Who lacks it needs so much more from the rest.
        without = np.where(np.arange(len(core)) == rarest, 0.0, log_ratio)
        others = _telling(without, layer, n_carriers, needed - against[rarest])
        others[rarest] = True
        if n_carriers[others].sum() < n_carriers[telling].sum():
            telling = others
    carriers = objects.by_object
    return np.asarray(
        kernels.who_could_join(carriers.indptr, carriers.indices, core[telling], members, len(population))
    )


FEW_TRIED = 4
"""Texts that nearly all members carry, the rarest, by which others are ruled out; one is mostly enough."""


def _telling(log_ratio: Float64, layer: Int64, n_carriers: Float64, needed: float) -> Bool:
    """Which objects an account must have one of to come to `needed` log-odds: all but the most common ones
    that together say less."""
    common_first = np.argsort(-n_carriers, kind="stable")
    at_most = np.zeros(len(log_ratio))
    for position in np.unique(layer):  # within a layer ratios are averaged, so the highest is the most
        of_layer = np.where(layer == position, log_ratio, 0.0)[common_first]
        at_most += np.maximum.accumulate(of_layer)
    telling = np.zeros(len(log_ratio), np.bool_)
    telling[common_first] = at_most >= needed - 1e-6
    return telling


def _log_odds(
    members: Int64,
    core: Int64,
    log_ratio: Float64,
    among: Int64,
    population: Population,
    objects: SharedObjects,
    *,
    others: bool = False,
) -> tuple[Int64, Float64]:
    """Those of some accounts that carry any core object, and the log-odds of membership that their objects
    give them. `among` ascends and holds the members; `others` tells whether anybody might join, so that what
    everybody else does with the texts is a measure, asked or not.

    Within a layer the objects' ratios are averaged by share and ratio, and count in full for an account that
    gives the core objects as much of its night as the median member does, or as many requests. Lacking a text
    that nearly all members carry, or any text where most carry some, speaks against: who shares a card or an
    address with a campaign but never its template is a bystander, and who shares one template of several may
    be somebody else's. So does how the account uses the templates (`scarcity`, `breadth`, `novelty`).
    """
    layer = objects.layer_of[core]
    against = _against_lacking(members, core, layer, population, objects)
    carried = objects.shares
    sums = kernels.weigh_carried(
        carried.indptr, carried.indices, carried.data, among, core, log_ratio, layer, against,
        carried.shape[1], len(population.layers),
    )  # fmt: skip
    carries = sums[0].any(axis=1)
    touched = among[carries]
    # Each object counts by its share and by what it tells: cover traffic dilutes neither.
    shares, worth, points, lacking, n_of = (one[carries] for one in sums) if not carries.all() else sums
    is_member = np.isin(touched, members, assume_unique=True)
    total = np.full(len(touched), np.log(len(members) / len(population)))
    for position in np.unique(layer):
        share = np.minimum(shares[:, position], 1.0)  # a request may carry several texts, and counts once
        weight = worth[:, position]
        mean_ratio = points[:, position] / np.where(weight > 0, weight, 1.0)
        as_usual = _of_usual(share, is_member)
        kind = population.layers[position].kind
        if kind == "template":
            uses = share * population.n_requests[touched]
            # Cover traffic hides the share, and throttling the number; few hide both.
            as_usual = np.maximum(as_usual, _of_usual(uses, is_member))
            texts = core[layer == position]
            of_strangers = _texts_of_others(texts, members, population, objects) if others else NOBODY
            n_texts = n_of[:, position].astype(np.int64)
            used_before = population.used_before(
                population.layers[position], texts - objects.first_object[position]
            )
            before = np.isin(touched, used_before)
            total += _of_use(touched, n_texts, before, uses, is_member, of_strangers, population)
        total += mean_ratio * as_usual
        if kind in CONTENT_LAYERS:
            any_reach = np.count_nonzero(share[is_member]) / len(members)
            none_at_all = np.where(share > 0, 0.0, np.log(1 - any_reach + LEFT_OUT))
            total += np.minimum(lacking[:, position], LAYER_WEIGHT[kind] * none_at_all)
    return touched.astype(np.int64), total


def _of_use(
    accounts: Int64,
    n_texts: Int64,
    before: Bool,
    n_uses: Float64,
    is_member: Bool,
    of_strangers: Int64,
    population: Population,
) -> Float64:
    """Log-odds of how accounts use a group's templates: `scarcity`, `breadth` and `novelty`; 0 without use.

    accounts : their positions
    n_texts, before, n_uses, is_member : one for each: how many of the templates it uses, whether any of them
        on an earlier night, too, requests that follow any, and whether it is a member
    of_strangers : for everybody else who used any, how many of the templates
    """
    uses_it = n_uses > 0
    working, here_before = is_member & uses_it, population.nights_seen[accounts] > 0
    speaks = scarcity(n_uses, working) + breadth(n_texts, is_member, of_strangers)
    speaks += novelty(before, here_before, working)
    return np.where(uses_it, speaks, 0.0)


def _texts_of_others(texts: Int64, members: Int64, population: Population, objects: SharedObjects) -> Int64:
    """How many of some texts everybody who is no member uses, int64, those who use none left out. Who has an
    approved use is no member whatever it does, and so no measure of what strangers do."""
    carriers = objects.by_object
    users, n_texts = kernels.n_of_others(carriers.indptr, carriers.indices, texts, members, len(population))
    return np.asarray(n_texts[~population.approved[users]])


def warm_up() -> None:
    """Compile the loops of membership, or read them from the cache, on a night of one account."""
    one, nothing = np.zeros(1, np.int64), np.zeros(1)
    carried = csr_matrix(np.ones((1, 1)))
    kernels.who_could_join(carried.tocsc().indptr, carried.tocsc().indices, one, one, 1)
    kernels.n_of_others(carried.tocsc().indptr, carried.tocsc().indices, one, one, 1)
    kernels.n_carrying(carried.indptr, carried.indices, one, one, 1)
    no = np.zeros(1, np.bool_)
    kernels.are_a_group(one, one - 1, np.zeros((3, 1), np.int64), np.zeros((2, 1), np.int64), no, no, 1.0)
    kernels.weigh_carried(
        carried.indptr, carried.indices, carried.data, one, one, nothing, one, nothing, 1, 1
    )


def _against_lacking(
    members: Int64, core: Int64, layer: Int64, population: Population, objects: SharedObjects
) -> Float64:
    """For each core object what it tells against an account to lack it: only of texts that nearly all members
    carry; float64, shape of `core`, at most 0."""
    weight = np.array(
        [LAYER_WEIGHT[one.kind] if one.kind in CONTENT_LAYERS else 0.0 for one in population.layers]
    )[layer]
    carried = objects.shares
    n_carrying = kernels.n_carrying(carried.indptr, carried.indices, members, core, carried.shape[1])
    reach = np.minimum(n_carrying / len(members), 1.0)
    return np.where(reach >= NEARLY_ALL, weight * np.log(1 - reach + LEFT_OUT), 0.0)


def _of_usual(values: npt.NDArray[Any], is_member: Bool) -> Float64:
    """Each value over the median of the members that have any, at most 1."""
    some = values[is_member & (values > 0)]
    return np.asarray(np.minimum(values / (np.median(some) if len(some) else 1.0), 1.0), np.float64)
