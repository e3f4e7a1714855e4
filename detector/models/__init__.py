"""How unusual an account is among its peers: one model a module, all keeping the promise in base.

Here: suspicion (features -> matrix), peers, the models, calibration, scoring (one night), lone (single
accounts that are findings of their own). Not here: features, campaigns, tables.
"""

from detector.models.base import AccountModel
from detector.models.isolation import IsolationModel
from detector.models.peers import PEER_GROUPS, peer_group
from detector.models.scoring import MODELS, AccountScores, readable_range, score_night
from detector.models.suspicion import suspicion_matrix
from detector.models.tails import TailModel


def import_libraries() -> None:
    """Import ahead of time what models and communities need: it takes seconds, which can pass while logs
    are read on another thread."""
    import pyod.models.iforest  # noqa: F401, PLC0415
    import sknetwork.clustering  # noqa: F401, PLC0415


__all__ = [
    "MODELS",
    "PEER_GROUPS",
    "AccountModel",
    "AccountScores",
    "IsolationModel",
    "TailModel",
    "import_libraries",
    "peer_group",
    "readable_range",
    "score_night",
    "suspicion_matrix",
]
