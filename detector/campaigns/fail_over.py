"""Who sends next what one account was refused: how surprising that is, and circles of accounts that do so.

Here: the log-likelihood ratio of a fail-over, and the accounts that fail-overs chain together. Not here:
finding them in a night's requests (pipelines.campaigns.fail_overs), what they are evidence of (evidence).

A client that holds the keys of several accounts answers a refusal (429, 403, 529 ...) with the next key: the
very same prompt comes from another account within seconds. Whether that is more than chance, the night's own
requests tell: how often does another account send next what was *answered*? So what everybody asks in a
lesson, or repeats during an outage, weighs nothing.
"""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from detector.campaigns.population import Float64, Int64
from detector.campaigns.refining import MOST_SURPRISE

REFUSED = (401, 402, 403, 429)
"""Besides 5xx, the statuses that another key may help against: not known, not paid, shut, too many."""

DELAYS_S = (10, 60, 600)
"""Delays are compared within these bounds: at once, as after one pause, as after several. Clients wait
seconds to a minute between tries; what comes ten minutes later is another story."""

MOST_SENDERS = 32
"""Accounts from which a prompt is public: who sends it next is then chance, and need not be looked at."""

PASSED_ON = 0.5
"""Share of refusals that a client with several keys answers with another one; others it waits out."""

LEAST_LOG_RATIO = 3.0
"""From which a fail-over is one: odds of twenty. What is asked in one room now and then stays below."""


def popularity(n_others: Int64) -> Int64:
    """Class of a prompt by how many accounts sent it besides the one and who came next: 0 for nobody, then by
    powers of two. int64, 0 to 5 for up to MOST_SENDERS accounts."""
    return np.floor(np.log2(1 + n_others)).astype(np.int64)


def log_ratios(n_answered: Float64, n_followed: Float64) -> Float64:
    """How much likelier a refusal is followed so by one client's fail-over than an answer by chance.

    Parameters
    ----------
    n_answered : float64, shape (n_classes,): requests that were answered, by popularity of their prompt
    n_followed : float64, shape (n_classes, len(DELAYS_S)): of those, the ones another owner's account sent
        next after such a delay

    Returns
    -------
    float64, shape (n_classes, len(DELAYS_S)), natural logarithm, at most MOST_SURPRISE. One client's
        fail-overs are as likely after each delay; half an observation more keeps what was never seen from
        seeming impossible.
    """
    by_chance = (n_followed + 0.5) / (n_answered[:, None] + 1.0)
    return np.minimum(np.log(PASSED_ON / len(DELAYS_S) / by_chance), MOST_SURPRISE)


def circles(account: Int64, heir: Int64, n_accounts: int) -> Int64:
    """Accounts that fail-overs chain together: int64, shape (n_accounts,), equal within a circle, -1 for
    those in none.

    account, heir : int64, shape (n_pairs,): positions, 0 to n_accounts - 1
    """
    chained = np.full(n_accounts, -1)
    links = coo_matrix((np.ones(len(account)), (account, heir)), shape=(n_accounts, n_accounts))
    _, circle = connected_components(links, directed=False)
    either = np.concatenate([account, heir])
    chained[either] = circle[either]
    return chained
