"""Who takes up the work when an account falls silent: newcomers that follow, and what chance would bring.

Here: matching first requests to last ones, text by text. Not here: who fell silent and who is new
(pipelines.campaigns.hand_overs), what it is evidence of (evidence).

Accounts that are shut are replaced within hours. Whether newcomers follow on those who stopped more closely
than by chance, the same text's other users tell: those who go on have no reason to begin their night after
somebody's last request.
"""

import numpy as np

from detector.campaigns.population import HandOvers, Int64
from detector.campaigns.shares import upper_share

WITHIN_US = 6 * 3_600_000_000
"""Six hours: an operator has accounts ready or makes them at once; a quarter of a day is seldom chance."""

STOPPED, BEGAN, GOES_ON = 0, 1, 2
"""What is told of an account: its last request, its very first, the night's first of one that was there
before."""

LEAST_GOING_ON = 5
"""Accounts that go on below which there is no telling what chance brings."""


def hand_overs(text: Int64, what: Int64, at_us: Int64, n_texts: int) -> HandOvers:
    """How newcomers follow those who fell silent, for each text.

    Parameters
    ----------
    text : int64, shape (n,): 0 to n_texts - 1; one row for each account and text
    what : int64, shape (n,): STOPPED, BEGAN or GOES_ON
    at_us : int64, shape (n,): microseconds; of who stopped the last request, of others the first

    Returns
    -------
    Counts and chances by text; all zero where nobody stopped or too few go on. Each last request is followed
        by one newcomer at most, the earliest; of those who go on, any number may follow one, so chance is
        counted generously, and taken two standard errors up.
    """
    order = np.lexsort((at_us, text))
    text, what, at_us = text[order], what[order], at_us[order]
    starts = np.searchsorted(text, np.arange(n_texts + 1))
    n_begun, n_followed, chance = np.zeros(n_texts), np.zeros(n_texts), np.zeros(n_texts)
    of_each = [np.bincount(text[what == kind], minlength=n_texts) for kind in (STOPPED, BEGAN, GOES_ON)]
    telling = (of_each[0] > 0) & (of_each[1] > 0) & (of_each[2] >= LEAST_GOING_ON)
    for at in np.flatnonzero(telling):
        rows = slice(starts[at], starts[at + 1])
        stopped, began, going = (at_us[rows][what[rows] == kind] for kind in (STOPPED, BEGAN, GOES_ON))
        latest = np.searchsorted(stopped, going, "right") - 1
        near = (latest >= 0) & (going - stopped[np.maximum(latest, 0)] <= WITHIN_US)
        n_begun[at] = len(began)
        n_followed[at] = matched(stopped, began)
        chance[at] = upper_share(float(near.mean()), float(len(going)))
    return HandOvers(n_begun, n_followed, chance)


def matched(stopped: Int64, began: Int64) -> int:
    """The most first requests that can each have a last one of its own within WITHIN_US before it; both
    ascend. The earliest that is left and near enough is as good as any."""
    n = at = 0
    for begin in began.tolist():
        while at < len(stopped) and stopped[at] < begin - WITHIN_US:
            at += 1
        if at < len(stopped) and stopped[at] <= begin:
            n += 1
            at += 1
    return n
