"""All measures of the night's families and their verdicts, as a table.

Here: each field with its unit, range, absence and source. Not here: what fills it (judging).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.text.queues.uses import Float64, Int32, Int64
from detector.text.queues.verdict import CERTAINTY, LEAST_ACCOUNTS, SMALL_LIKENESS


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


def said_of_likeness(queues: Queues) -> npt.NDArray[np.bool_]:
    """Where `own_text_icc` says something: accounts enough, and a small enough error."""
    with np.errstate(invalid="ignore"):
        return (queues.n_compared >= LEAST_ACCOUNTS) & (CERTAINTY * queues.own_text_error < SMALL_LIKENESS)
