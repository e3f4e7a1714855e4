"""Evidence from whose the accounts are: cards, clients, organisations, addresses.

Here: one function per piece. Not here: when they signed up (lifecycle).
"""

import numpy as np

from detector.campaigns.evidence.piece import LEAST_COMPARED, Evidence
from detector.campaigns.group import Group
from detector.campaigns.measures import ramp
from detector.campaigns.population import Float64, Int64, Layer
from detector.campaigns.shares import lower_share


def shared_payment(group: Group) -> Evidence | None:
    """Whether accounts of different organisations are paid for by the same instrument."""
    payment = group.population.payment[group.members]
    organisation = group.population.organisation[group.members]
    known = payment >= 0
    if known.sum() < LEAST_COMPARED:
        return None
    _, position = np.unique(payment[known], return_inverse=True)
    owners = organisation[known]
    # An account without an organisation is its own: it shares with nobody by contract.
    owners = np.where(owners >= 0, owners, -2 - np.arange(len(owners)))
    pairs = np.unique(np.stack([position, owners]), axis=1)
    n_owners = np.bincount(pairs[0], minlength=position.max() + 1)
    share = float((n_owners[position] > 1).mean())
    if share == 0:
        return None  # unique payments are what both honest and careful people have
    points = ramp(share, (0.02, 0.0), (0.2, 1.5), (0.6, 2.5))
    if group.has_content:
        # Operators pay in small lots; an instrument that pays for dozens of strangers may be a voucher,
        # and their texts have to tell. Where there are none, cards are most of what is left.
        n_largest = float(np.bincount(position)[n_owners > 1].max())
        points *= ramp(n_largest, (10, 1.0), (25, 0.3))
    return Evidence(
        "identity", "SHARED_PAYMENT",
        "share of accounts paid by an instrument that another organisation uses too",
        share, "under 0.02", points,
    )  # fmt: skip


def same_client(group: Group) -> Evidence | None:
    """Whether the accounts speak through one client and one set of parameters that others do not use."""
    best = 0.0
    inside_share = 0.0
    usual_share = 0.0
    for kind in ("client", "parameters"):
        layer = group.population.layer(kind)
        if layer is None or len(layer.object) == 0:
            continue
        objects, carried = _carried(layer, group.rows_in(layer))
        if len(objects) == 0:
            continue
        inside = carried / max(len(group.members), 1)
        sure = lower_share(float(inside.max()), len(group.members)) / max(float(inside.max()), 1e-9)
        top = int(inside.argmax())
        everywhere = group.population.once.of("carried", _sum_of_shares, layer.object, layer.share)
        others = max(float(everywhere[objects[top]] - carried[top]), 0.0)
        outside = others / max(len(group.population) - len(group.members), 1)
        # Of five accounts some will have a kit in common: as much counts as so few can show.
        lift = float(np.log((inside[top] + 0.02) / (outside + 0.02)) * inside[top] * sure)
        if lift > best:
            best, inside_share, usual_share = lift, float(inside[top]), float(outside)
    if best == 0.0:
        return None
    return Evidence(
        "identity", "SAME_CLIENT", "share of traffic from one client or one set of parameters",
        inside_share, f"{usual_share:.2f} over the night's other accounts", min(best, 1.5),
    )  # fmt: skip


def _carried(layer: Layer, rows: Int64) -> tuple[Int64, Float64]:
    """Objects of the chosen rows, ascending, and the sum of shares of each over these rows."""
    objects, place = np.unique(layer.object[rows], return_inverse=True)
    carried = np.bincount(place, weights=layer.share[rows], minlength=len(objects))
    return objects, np.asarray(carried, np.float64)


def _sum_of_shares(object_: Int64, share: Float64) -> Float64:
    return np.asarray(np.bincount(object_, weights=share), np.float64)


def one_customer(group: Group) -> Evidence | None:
    """Whether the group is simply one organisation's seats, which share everything by contract."""
    organisation = group.population.organisation[group.members]
    known = organisation[organisation >= 0]
    if len(known) < 0.5 * len(group.members):
        return None
    share = float(np.bincount(known).max() / len(group.members))
    if share < 0.3:
        return None
    return Evidence(
        "identity", "ONE_ORGANISATION", "share of accounts that belong to one organisation",
        share, "near 1 for a company's seats", ramp(share, (0.3, 0.0), (0.6, -3.0), (0.8, -6.0)),
    )  # fmt: skip


def one_room(group: Group) -> Evidence | None:
    """Whether the group sits in one place for a few hours: a class, a course, a hackathon.

    Behind one address and within a third of the day, together: an operator who puts all accounts behind one
    address works on when people go home, and one who keeps people's hours does not use one address.
    """
    layer = group.population.layer("address")
    if layer is None:
        return None
    _, behind = _carried(layer, group.rows_in(layer))
    together = float(behind.max() / len(group.members)) if len(behind) else 0.0
    hours = group.population.hour_counts[group.members].sum(axis=0)
    in_session = float(
        np.convolve(np.concatenate([hours, hours[:7]]), np.ones(8), "valid").max() / max(hours.sum(), 1)
    )
    share = together * in_session
    if share < 0.3:
        return None
    return Evidence(
        "identity", "ONE_ROOM", "share of traffic from one address within eight hours",
        share, "near 1 for a class or a hackathon", ramp(share, (0.3, 0.0), (0.6, -2.5), (0.9, -4.0)),
    )  # fmt: skip
