"""Account scores: every model, within every peer group, with reasons.

Here: how groups, models and calibration come together for one night. Not here: reading the night's
features or writing the scores (pipelines.scores).

What it cannot see: a campaign that is half of its peer group is what the group's median shows, and so looks
usual. That is one of the reasons why no campaign rests on account scores (detector.campaigns).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.features import SCORED, Feature
from detector.models.base import AccountModel, Float64
from detector.models.calibration import MIN_REFERENCE, conformal_p_values, rank_p_values, surprise, unit_score
from detector.models.isolation import IsolationModel
from detector.models.peers import PEER_GROUPS, QUIET_FEATURES, peer_group
from detector.models.suspicion import suspicion_matrix
from detector.models.tails import TailModel

MODELS: tuple[Callable[[], AccountModel], ...] = (TailModel, IsolationModel)
"""Combined by the mean of their surprise: rare values and rare combinations count alike."""

MIN_PEERS = 50
"""A smaller group knows no usual range; its accounts are compared with everyone."""

MAX_REFERENCE = 20_000
"""Reference accounts per peer group: p-values down to 1 / 20,001, at a cost that stays that of one night."""

EVERYONE = "everyone"

REASONS = 4
RARE = np.log(20.0)
"""A feature is a reason from one account in twenty on (in nats, as the tail model counts)."""

Columns = Mapping[str, Float64]


@dataclass(frozen=True, slots=True)
class Range:
    """What is usual for a feature in one peer group: 5th to 95th percentile of the known values."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AccountScores:
    """Scores of one night's accounts, in the order they came in; n is their number."""

    score: Float64
    """shape (n,), 0 to 1."""
    p_value: Float64
    """shape (n,), above 0 to 1."""
    group: npt.NDArray[np.int8]
    """shape (n,), position in `group_names`."""
    group_names: tuple[str, ...]
    reason: npt.NDArray[np.int16]
    """shape (n, 4), positions in SCORED, strongest first; -1 where there is none."""
    usual: tuple[tuple[Range | None, ...], ...]
    """Per group and feature of SCORED; null where nobody's value is known."""


def score_night(tonight: Columns, reference: Columns) -> AccountScores:
    """Score tonight's accounts among their peers.

    Parameters
    ----------
    tonight : float64 arrays of shape (n,), one per feature of SCORED and per column that
        `peers.peer_group` reads; NaN where unknown
    reference : the same for accounts of earlier nights that were not flagged; may be empty

    A peer group with enough reference accounts is calibrated on them, else on its own ranks.
    """
    n = len(tonight["n_requests"])
    groups = peer_group(tonight)
    names = (*PEER_GROUPS, EVERYONE)
    out = AccountScores(
        score=np.zeros(n),
        p_value=np.ones(n),
        group=groups.copy(),
        group_names=names,
        reason=np.full((n, REASONS), -1, np.int16),
        usual=tuple(_usual(_rows_of_group(tonight, groups, code)) for code in range(len(names))),
    )
    for peers in peer_matrices(tonight, reference):
        score, p_value, reason = _judge(peers)
        out.group[peers.members] = peers.group
        out.score[peers.members] = score[peers.rows]
        out.p_value[peers.members] = p_value[peers.rows]
        out.reason[peers.members] = reason[peers.rows]
    return out


@dataclass(frozen=True, slots=True)
class PeerMatrix:
    """One peer group as a model reads it: tonight's accounts first, then those of earlier nights."""

    group: int
    """Whom its accounts are compared with, a position in `AccountScores.group_names`."""
    members: npt.NDArray[np.intp]
    """Tonight's accounts that are judged here."""
    rows: npt.NDArray[np.intp]
    """Their rows in `matrix`."""
    matrix: Float64
    """As `suspicion.suspicion_matrix` makes it."""
    places: npt.NDArray[np.int16]
    """Positions in SCORED of its columns."""
    n_tonight: int
    is_calibrated: bool
    """Whether the rows after `n_tonight` are enough to calibrate on."""


def peer_matrices(tonight: Columns, reference: Columns) -> Iterator[PeerMatrix]:
    """What the models are given, peer group by peer group; parameters as `score_night`."""
    n = len(tonight["n_requests"])
    groups, earlier_groups = peer_group(tonight), peer_group(reference)
    for code, group_name in enumerate(PEER_GROUPS):
        members = np.flatnonzero(groups == code)
        earlier = np.flatnonzero(earlier_groups == code)[:MAX_REFERENCE]
        compared, peers, rows = code, members, np.arange(len(members))
        if not len(members):
            continue
        if len(members) + len(earlier) < MIN_PEERS:
            compared, peers, rows = len(PEER_GROUPS), np.arange(n), members
            earlier = np.arange(min(len(earlier_groups), MAX_REFERENCE))
        places = np.array(
            [i for i, f in enumerate(SCORED) if group_name != "quiet" or f.name in QUIET_FEATURES], np.int16
        )
        columns = {
            name: np.concatenate((tonight[name][peers], reference[name][earlier]))
            for name in (SCORED[i].name for i in places)
        }
        is_calibrated = len(earlier) >= MIN_REFERENCE
        if is_calibrated:
            places = places[[_is_comparable(columns[SCORED[i].name], len(peers)) for i in places]]
        matrix = suspicion_matrix(columns, [SCORED[i] for i in places])
        yield PeerMatrix(compared, members, rows, matrix, places, len(peers), is_calibrated)


def _judge(peers: PeerMatrix) -> tuple[Float64, Float64, npt.NDArray[np.int16]]:
    """Scores, p-values and reasons of tonight's rows."""
    # fitted on tonight and the reference together: only then do their scores compare (see calibration)
    models = [make().fit(peers.matrix) for make in MODELS]
    combined = np.mean([surprise(model.score(peers.matrix)) for model in models], axis=0)
    here, past = combined[: peers.n_tonight], combined[peers.n_tonight :]
    p_values = conformal_p_values(here, past) if peers.is_calibrated else rank_p_values(here)
    reasons = _top_reasons(models[0].contributions(peers.matrix)[: peers.n_tonight], peers.places)
    return unit_score(here), p_values, reasons


def _is_comparable(values: Float64, n_tonight: int) -> bool:
    """Whether the reference knows a feature about as often as tonight does.

    On the fourth night volume_z is known for the first time; so is the prompt after a log began to carry
    it. Unknown counts as usual, so every account of tonight would look odd beside the reference.
    """
    known = np.isfinite(values)
    return bool(known[n_tonight:].mean() >= 0.8 * known[:n_tonight].mean()) if n_tonight else True


def _top_reasons(contributions: Float64, places: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """The strongest rare features of each account, strongest first; ties in the order of SCORED."""
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :REASONS]
    strength = np.take_along_axis(contributions, order, axis=1)
    out = np.full((len(contributions), REASONS), -1, np.int16)
    out[:, : order.shape[1]] = np.where(strength >= RARE - np.log(2.0), places[order], -1)
    return out


def _rows_of_group(columns: Columns, groups: npt.NDArray[np.int8], code: int) -> Columns:
    if code == len(PEER_GROUPS):
        return columns
    return {feature.name: columns[feature.name][groups == code] for feature in SCORED}


def _usual(columns: Columns) -> tuple[Range | None, ...]:
    return tuple(_range(columns[feature.name]) for feature in SCORED)


def _range(values: Float64) -> Range | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    # observed values, not interpolated ones: between 1 and 2 addresses nobody has 1.4
    low, high = np.quantile(known, (0.05, 0.95), method="inverted_cdf")
    return Range(float(low), float(high))


def readable_range(usual: Range | None, feature: Feature) -> str:
    """`1 to 12 requests`: what is usual, for a person."""
    if usual is None:
        return "unknown"
    if feature.unit == "share":
        return f"{_number(100 * usual.low)} to {_number(100 * usual.high)} %"
    unit = "" if feature.unit == "none" else f" {feature.unit}"
    return f"{_number(usual.low)} to {_number(usual.high)}{unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.2g}"
