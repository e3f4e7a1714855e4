"""Features of how much an account asks for, alone, against its own past, and against others like it.

Here: the list, and the comparison with peers. Not here: sums (warehouse/sql/account_day_totals.sql), history
(account_day.sql), which accounts are peers (models.peers).
"""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from detector.features.feature import NEVER, NO_PAST, Feature
from detector.features.grouping import Float64

LEAST_PEERS = 50
"""Fewer accounts know no usual volume; as many as the account models ask for (models.scoring.MIN_PEERS)."""

LEAST_SPREAD = 0.25
"""Least spread of a logarithm: about 30 %. Among clockwork peers one more request would look like a leap."""

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution whose median absolute deviation is 1."""

FEATURES = (
    Feature(
        "n_requests",
        "requests",
        "0 up",
        "requests that night (retries not counted, sampled rows scaled up)",
        NEVER,
        "high",
        "count",
        why="a harvest needs volume: massive volume in few areas is the first of the three markers named",
        source="Anthropic 2026-02",
    ),
    Feature(
        "n_retries",
        "requests",
        "0 up",
        "rows that repeat a request after a failure",
        NEVER,
        why="shows how hard a client presses against limits; kept apart so that it is not taken for volume",
        source="Ours",
    ),
    Feature(
        "input_tokens",
        "tokens",
        "0 up",
        "tokens sent",
        "the log tells no input tokens",
        why="batch extraction and backfills send much and take little",
        source="Ours",
    ),
    Feature(
        "output_tokens",
        "tokens",
        "0 up",
        "tokens taken from the model",
        "the log tells no output tokens",
        "high",
        "count",
        why="outputs are what is harvested: the advisory counts campaigns in billions of tokens",
        source="AA26-251A",
    ),
    Feature(
        "usual_requests",
        "requests",
        "0 up",
        "mean of the account's earlier nights",
        NO_PAST,
        why="what tonight is measured against",
        source="Ours",
        needs=("past",),
    ),
    Feature(
        "most_requests",
        "requests",
        "0 up",
        "largest of the account's earlier nights",
        NO_PAST,
        why="whether tonight is a record or one more of its busy nights",
        source="Ours",
        needs=("past",),
    ),
    Feature(
        "volume_z",
        "standard deviations",
        "any",
        "requests against the account's own earlier nights, on a logarithmic scale",
        "fewer than three earlier nights",
        "high",
        why="a stolen key, or an account put to other use, breaks with its own past",
        source="Anthropic 2026-09, p. 144 (stolen keys)",
        needs=("past",),
    ),
    Feature(
        "volume_peer_z",
        "standard deviations",
        "any",
        "requests against accounts of the same kind of use that night, on a logarithmic scale",
        "fewer than 50 accounts of the kind",
        why="an application's thousand requests are ordinary, a person's are not; scored as `n_requests`, "
        "which is "
        "compared within the kind already",
        source="Iglewicz 1993",
        needs=("peers",),
    ),
    Feature(
        "volume_plan_z",
        "standard deviations",
        "any",
        "requests against accounts on the same plan that night, on a logarithmic scale",
        "the accounts file tells no plan, or fewer than 50 accounts on it sent anything",
        "high",
        why="enterprise throughput on a consumer plan: subscription and use do not match",
        source="AA26-251A, indicator 4",
        needs=("plan",),
    ),
)


def peer_z(requests: Float64, group: npt.NDArray[np.integer]) -> Float64:
    """How far each account's volume lies from the middle of its group, on a logarithmic scale.

    Parameters
    ----------
    requests : float64, shape (n_accounts,), requests, 0 up
    group : integers, shape (n_accounts,): accounts of like numbers are peers; -1 stands for no group

    Returns
    -------
    float64, shape (n_accounts,), standard deviations, any sign: ln(1 + requests) minus the group's median,
        over 1.4826 times its median absolute deviation, or over 0.25 where that is less. NaN in a group of
        fewer than 50, and without a group. Half of a group would have to be fraudulent before its middle
        moved.

    Raises
    ------
    ValueError : the two differ in length.

    Source: Iglewicz & Hoaglin, How to Detect and Handle Outliers (1993), the modified z-score.
    """
    if len(requests) != len(group):
        raise ValueError("every account must have a group, or -1")
    out = np.full(len(requests), np.nan)
    logs = np.log1p(requests)
    order = np.argsort(group, kind="stable")
    # runs of like numbers; only runs long enough are looked at, so the number of groups costs nothing
    bounds = np.flatnonzero(np.diff(group[order], prepend=-1, append=np.iinfo(np.int64).max))
    for first, last in pairwise(bounds.tolist()):
        if last - first >= LEAST_PEERS:
            peers = order[first:last]
            middle = np.median(logs[peers])
            spread = MAD_TO_SD * np.median(np.abs(logs[peers] - middle))
            out[peers] = (logs[peers] - middle) / max(float(spread), LEAST_SPREAD)
    return out
