"""What the measures of a family say together.

Here: the verdicts, their conditions and the bounds of each. Not here: the measures (sharing, evenness,
likeness, known, order), what a verdict means for a group of accounts (campaigns).
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from detector.text.queues.uses import Float64, Measures

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


def _bounds(share: Float64, n: Float64) -> tuple[Float64, Float64]:
    """A share of n, as little and as much as it may be (Wilson's interval, one-sided 95 % each)."""
    z = CERTAINTY
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


def verdict_of(m: Measures, usual_icc: float) -> npt.NDArray[np.int8]:
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
        far = -special.ndtri(LEVEL)
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
