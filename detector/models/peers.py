"""Peer groups: accounts are compared with accounts of the same kind of use.

A bank's support bot is a single-purpose application; against people it would look like a machine that
never sleeps, among applications it is ordinary. The kind comes from how an account uses the model, not
from how much: size is what the comparison is for.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from detector.models.base import Float64

PEER_GROUPS = ("quiet", "agent", "application", "batch", "person")
"""Position is the code `peer_group` gives."""

QUIET_REQUESTS = 20
"""Fewer requests than this say nothing by their shares: a share of 19 moves by 5 points with one request."""

QUIET_FEATURES = frozenset(
    {
        "volume_z",
        "growth_ratio",
        "n_end_users",
        "n_user_agents",
        "n_clients",
        "n_api_keys",
        "n_ips",
        "n_asns",
        "n_countries",
        "account_age_days",
    }
)
"""What can be known of a quiet account: its past and its identities, not its shares and rhythm."""


def peer_group(columns: Mapping[str, Float64]) -> npt.NDArray[np.int8]:
    """Code of each account's peer group: int8, shape (n_accounts,), a position in PEER_GROUPS.

    The first rule that holds decides, and what is unknown (NaN) holds no rule:

    quiet        fewer than 20 requests
    agent        most requests offer tools to the model
    application  questions that stand alone, under one system prompt or around the clock
    batch        questions that stand alone, hundreds of them within eight hours
    person       the rest: conversations, changing questions, human hours
    """
    c = columns
    stand_alone = ~(c["single_turn_share"] < 0.8)  # also where the log tells no turns
    rules = (
        c["n_requests"] < QUIET_REQUESTS,
        c["tools_share"] >= 0.5,
        stand_alone & ((c["top_system_share"] >= 0.8) | (c["active_hours"] >= 20)),
        stand_alone & (c["n_requests"] >= 200) & (c["active_hours"] <= 8),
    )
    return np.asarray(np.select(rules, range(len(rules)), default=len(rules)), np.int8)
