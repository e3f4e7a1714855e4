"""All detectors of the comparison, in the order of the table.

Here: which there are. Not here: what they do (their modules).
"""

from benchmarks.peers.aegisgate import AegisGate
from benchmarks.peers.cosimilarity import CoSimilarity
from benchmarks.peers.fraudar import Fraudar
from benchmarks.peers.glasswally import Glasswally
from benchmarks.peers.huntbase import Huntbase
from benchmarks.peers.mmd import MmdOwn, MmdPooled
from benchmarks.peers.outliers import DETECTORS, Outliers
from benchmarks.peers.peer import Peer
from benchmarks.peers.prada import Prada
from benchmarks.peers.stillwatch import Stillwatch
from benchmarks.peers.synchrotrap import SynchroTrap

PEERS: tuple[Peer, ...] = (
    Stillwatch(),
    Huntbase(),
    AegisGate(),
    Glasswally(),
    MmdPooled(),
    MmdOwn(),
    Prada(),
    *(Outliers(name) for name in DETECTORS),
    SynchroTrap(),
    Fraudar(),
    CoSimilarity(),
)


def named(name: str) -> Peer:
    """The peer of this name, as in the table."""
    return next(peer for peer in PEERS if peer.name == name)
