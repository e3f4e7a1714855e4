"""Addresses that several accounts send from: offices and campuses, carriers and tunnels.

Here: changes to the addresses that `enrol` drew. Not here: what the accounts file says (paperwork).
"""

import numpy as np
import pyarrow as pa

from pipelines.simulate.catalog import CLOUDS
from pipelines.simulate.kinds.paperwork import leaders
from pipelines.simulate.population import Crowd, Ints
from pipelines.simulate.texts.grammar import Rng

_PER_CARRIER_EXIT = 25
_PER_TUNNEL_EXIT = 12


def sit_together(crowd: Crowd, team: Ints) -> None:
    """A team sends from the first member's addresses: one office, one campus, one hall."""
    first = leaders(team)
    crowd.first_address, crowd.n_addresses = crowd.first_address[first], crowd.n_addresses[first]
    crowd.asn = crowd.asn.take(pa.array(first))


def behind_shared_exits(crowd: Crowd, rng: Rng, carrier: float = 0.12, tunnel: float = 0.02) -> None:
    """Strangers on one address: phones behind their carrier's, careful people behind a tunnel's.

    Parameters
    ----------
    carrier, tunnel : shares of accounts; carriers stay within a network, tunnels end at a hoster
    """
    n = len(crowd)
    draw = rng.random(n)
    network = np.asarray(crowd.asn.dictionary_encode().indices).astype(np.int64)
    alone = np.arange(n)
    by_carrier = draw < carrier
    exits = np.maximum(np.bincount(network[by_carrier], minlength=int(network.max(initial=0)) + 1), 1)
    at = (rng.random(n) * (exits[network] // _PER_CARRIER_EXIT + 1)).astype(np.int64)
    by_tunnel = (draw >= carrier) & (draw < carrier + tunnel)
    n_tunnels = int(by_tunnel.sum()) // _PER_TUNNEL_EXIT + 1
    tunnels = rng.integers(0, n_tunnels, n)
    team = np.select([by_carrier, by_tunnel], [n + network * n + at, 2 * n * n + n + tunnels], alone)
    sit_together(crowd, team)
    hosters = pa.array(CLOUDS).take(pa.array(tunnels % len(CLOUDS)))
    both = pa.concat_arrays([crowd.asn.cast(pa.string()), hosters])
    crowd.asn = both.take(pa.array(np.where(by_tunnel, n + alone, alone)))
