"""What accounts share: items that several sent, how long a list that hints at, items of earlier nights.

Here: counts and pairs by family. Not here: what they say (verdict), items of known sets (known).
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from detector.text.queues.uses import Int32, Measures, Uses, ratio, sums


def measure_sharing(uses: Uses, n_families: int, n_holders: Int32 | None) -> Measures:
    """How many requests, accounts and items there are, and what of it more than one account sent."""
    holders = np.diff(uses.item_starts).astype(np.float64)  # accounts of each item
    everywhere = (
        holders if n_holders is None else np.maximum(holders, n_holders[uses.row[uses.first_of_item]])
    )
    of_item, of_account = uses.item_family, uses.account_family
    mine = np.diff(uses.account_starts).astype(np.float64)  # items of each account
    n_requests = sums(uses.family, n_families, uses.n)
    n_uses = sums(uses.family, n_families)
    n_accounts = sums(of_account, n_families)
    n_items = sums(of_item, n_families)
    shared_pairs = sums(of_item, n_families, holders * (holders - 1) / 2)
    top = np.zeros(n_families)
    np.maximum.at(top, of_item, holders)
    use_pairs = (n_uses**2 - sums(of_account, n_families, mine**2)) / 2
    at_most = special.chdtri(2 * (shared_pairs + 1), 0.05) / 2  # Poisson, exact
    # Pairs of requests, and of them pairs of equal ones, within accounts and between them.
    sent = uses.sent
    pairs_within = sums(of_account, n_families, sent * (sent - 1) / 2)
    pairs_between = (n_requests**2 - sums(of_account, n_families, sent**2)) / 2
    copies = np.add.reduceat(uses.n[uses.by_item], uses.item_starts[:-1]) if len(uses.n) else np.empty(0)
    equal = sums(of_item, n_families, copies * (copies - 1.0) / 2)
    equal_within = sums(uses.family, n_families, uses.n * (uses.n - 1.0) / 2)
    chance = ratio(equal * pairs_between, pairs_within + pairs_between)
    once, twice = sums(of_item, n_families, holders == 1), sums(of_item, n_families, holders == 2)
    samples = np.maximum(n_accounts, 1)
    return {
        "n_requests": n_requests.astype(np.int64),
        "n_accounts": n_accounts.astype(np.int64),
        "n_items": n_items.astype(np.int64),
        "shared_item_ratio": ratio(sums(of_item, n_families, everywhere > 1), n_items),
        "shared_use_ratio": ratio(sums(of_item, n_families, holders * (everywhere > 1)), n_uses),
        "top_item_share": ratio(top, n_accounts),
        "shared_pairs": equal - equal_within,
        "chance_pairs": np.where(equal > 0, chance, np.nan),
        "least_list_size": np.where(use_pairs > 0, use_pairs / at_most, np.nan),
        "list_size": np.where(
            n_items > 0, n_items + (samples - 1) / samples * once * (once - 1) / (2 * (twice + 1)), np.nan
        ),
    }


def measure_repeats(uses: Uses, n_families: int, nights_before: npt.NDArray[np.int8] | None) -> Measures:
    """How many items were seen on earlier nights, and on how many."""
    if nights_before is None:
        return {"repeat_ratio": np.full(n_families, np.nan), "repeat_nights": np.full(n_families, np.nan)}
    nights = nights_before[uses.row[uses.first_of_item]].astype(np.float64)
    repeated = sums(uses.item_family, n_families, nights > 0)
    return {
        "repeat_ratio": ratio(repeated, sums(uses.item_family, n_families)),
        "repeat_nights": ratio(sums(uses.item_family, n_families, nights), repeated),
    }
