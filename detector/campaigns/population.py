"""What the campaign stage knows of one night: accounts as numbers, and the things they share.

Here: the arrays and their meaning. Not here: where they come from (pipelines.campaigns), what is made of
them (communities, evidence).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_matrix, csr_matrix

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

Answer = TypeVar("Answer")

CONTENT_LAYERS = ("template", "system_prompt", "tool_set", "size")
IDENTITY_LAYERS = ("payment", "address", "client", "parameters")
TIMING_LAYERS = ("fail_over",)
LIFECYCLE_LAYERS = ("sign_up",)


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of thing that accounts share: one row per account and object.

    account : int64, position of the account; object : int64, position of the object within this layer
    share : float64, 0 to 1: the part of the account's requests that carried the object
    """

    kind: str
    account: Int64
    object: Int64
    share: Float64
    n_objects: int


@dataclass(frozen=True, slots=True)
class Uses:
    """How an account used a family of texts; every array parallel to the rows of its layer.

    n_requests : requests made from the family tonight
    n_earlier_requests : requests the account made from it on the nights before, as far as the log goes back
    n_items : different prompts among them
    n_shared_items : of those, sent by another account too
    n_training : summed probability that a request asks for training material, 0 to n_requests
    n_repeated : requests whose item the account sent on a night before, too, 0 to n_requests
    """

    n_requests: Float64
    n_earlier_requests: Float64
    n_items: Float64
    n_shared_items: Float64
    n_training: Float64
    n_repeated: Float64

    def at(self, rows: npt.NDArray[Any]) -> "Uses":
        """Those of some rows, by their positions or by a mask."""
        return Uses(
            self.n_requests[rows],
            self.n_earlier_requests[rows],
            self.n_items[rows],
            self.n_shared_items[rows],
            self.n_training[rows],
            self.n_repeated[rows],
        )

    @classmethod
    def none(cls) -> "Uses":
        """No family at all."""
        nothing = np.zeros(0)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing)


@dataclass(frozen=True, slots=True)
class FailOvers:
    """Requests that were refused, and who sent them next; by account, ascending.

    account, heir : int64, shape (n,): positions of who was refused and who took over; -1 for nobody, or for
        somebody who is not there tonight
    n_requests : float64, shape (n,)
    """

    account: Int64
    heir: Int64
    n_requests: Float64

    @classmethod
    def none(cls) -> "FailOvers":
        """Nothing refused, or nothing known."""
        nobody = np.zeros(0, np.int64)
        return cls(nobody, nobody, np.zeros(0))


@dataclass(frozen=True, slots=True)
class HandOvers:
    """How newcomers follow those who fell silent, one entry for each object of the `template` layer.

    n_begun : newcomers; n_followed : of them, those who began within hours of a last request, each of another
    chance : 0 to 1: the most that this may be by chance (detector.campaigns.hand_over)
    """

    n_begun: Float64
    n_followed: Float64
    chance: Float64

    @classmethod
    def none(cls) -> "HandOvers":
        """Nobody came or went, or nothing is known."""
        return cls(np.zeros(0), np.zeros(0), np.zeros(0))


class Once:
    """What is worked out of a night's arrays once, however many groups ask: orders, totals, sorted values.

    Arrays are told apart by being the same object, and are kept, so that none takes another one's place.
    Nobody may write to one that was asked about.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, tuple[int, ...]], tuple[Any, Any]] = {}

    def of(self, name: str, work: Callable[..., Answer], *arrays: npt.NDArray[Any]) -> Answer:
        """`work` of the arrays, from memory where it was done before under this name."""
        key = (name, tuple(map(id, arrays)))
        if key not in self._kept:
            self._kept[key] = (arrays, work(*arrays))
        answer: Answer = self._kept[key][1]
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The accounts of one night; every array has one entry per account, ascending by account id.

    NaN and -1 stand for "not known"; nothing here is imputed.
    """

    n_requests: Float64
    output_tokens: Float64
    hour_counts: Float64
    """shape (n, 24): requests per hour of the day, UTC"""
    single_turn_share: Float64
    training_share: Float64
    """0 to 1: mean probability that a request's text asks for training material; NaN without prompts"""
    repeat_share: Float64
    """0 to 1: requests whose item the account sent on an earlier night too; NaN without prompts"""
    output_tokens_mean: Float64
    account_age_days: Float64
    new_model_share: Float64
    """0 to 1: requests to models the workspace first saw within two nights"""
    greedy_share: Float64
    """0 to 1: requests at temperature 0, of those that set one; NaN where none does"""
    nights_seen: Float64
    """earlier nights on which the account sent anything; NaN where nothing is known of earlier nights"""
    account_score: Float64
    """0 to 1: how unusual the account is among its peers"""
    organisation: Int64
    payment: Int64
    approved: Bool
    """has a use approved by contract that is valid tonight"""
    habits: npt.NDArray[np.int8]
    """shape (n_habits, n): what accounts do, in steps (habits.in_steps); -1 unknown"""
    layers: tuple[Layer, ...]
    templates: Uses = field(default_factory=Uses.none)
    """What the rows of the `template` layer carry: families of user prompts."""
    systems: Uses = field(default_factory=Uses.none)
    """What the rows of the `system_prompt` layer carry: families of system prompts, and what was asked."""
    adds_text: Bool | None = None
    """adds a text of its own to what ten products or more send (detector.models.lone); None when not known"""
    fail_overs: FailOvers = field(default_factory=FailOvers.none)
    """Tonight and on the nights before, as far as links look back."""
    hand_overs: HandOvers = field(default_factory=HandOvers.none)
    once: Once = field(default_factory=Once, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.n_requests)

    @property
    def has_content(self) -> bool:
        """Whether the night's log carried prompts at all."""
        return bool(np.isfinite(self.training_share).any())

    def layer(self, kind: str) -> Layer | None:
        """The layer of that kind, None when the log carries nothing of it."""
        return next((layer for layer in self.layers if layer.kind == kind), None)

    def rows_of(self, layer: Layer, accounts: Int64) -> Int64:
        """The layer's rows of these accounts, ascending: at the cost of those rows, not of the layer.

        Parameters
        ----------
        layer : one of `layers`
        accounts : int64, positions, none twice
        """
        if len(layer.account) == 0:
            return np.empty(0, dtype=np.int64)
        order, starts = self.once.of("by account", self._by_account, layer.account)
        return np.sort(order[_spans(starts, accounts)])

    def _by_account(self, account: Int64) -> tuple[Int64, Int64]:
        return _in_order_of(account, np.arange(len(account)), len(self))

    def used_before(self, layer: Layer, templates: Int64) -> Int64:
        """Accounts that use any of these templates tonight and did so on an earlier night; some may come
        twice. At the cost of those accounts.

        Parameters
        ----------
        layer : the one of kind `template`
        templates : int64, positions of its objects, none twice
        """

        def by_template(account: Int64, template: Int64, n_earlier: Float64) -> tuple[Int64, Int64]:
            used = n_earlier > 0
            return _in_order_of(template[used], account[used], layer.n_objects)

        users, starts = self.once.of(
            "used before", by_template, layer.account, layer.object, self.templates.n_earlier_requests
        )
        return np.asarray(users[_spans(starts, templates)])


def _in_order_of(keys: Int64, values: Int64, n_keys: int) -> tuple[Int64, Int64]:
    """Values in the order of their keys, and where those of each key start; int64, shape (n_keys + 1,)."""
    order = np.argsort(keys, kind="stable")
    return values[order], np.searchsorted(keys[order], np.arange(n_keys + 1))


def _spans(starts: Int64, chosen: Int64) -> Int64:
    """Positions of everything between the starts of some spans and the next one's."""
    first, n = starts[chosen], starts[chosen + 1] - starts[chosen]
    return np.asarray(np.repeat(first, n) + np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n))


@dataclass(frozen=True, slots=True)
class SharedObjects:
    """All layers side by side, as one account x object matrix.

    shares : csr, shape (n_accounts, n_objects); the part of the account's requests that carried it
    by_object : the same by columns
    n_accounts_of : float64, shape (n_objects,): accounts that carried it at all
    layer_of : int64, shape (n_objects,): position in Population.layers
    first_object : int64, shape (n_layers + 1,): where each layer's objects start
    """

    shares: csr_matrix
    by_object: csc_matrix
    n_accounts_of: Float64
    layer_of: Int64
    first_object: Int64

    def carried(self, accounts: Int64, chosen: Int64) -> tuple[Int64, Int64, Float64]:
        """What some accounts carry of some objects: position in `accounts`, position in `chosen`, share; by
        account, then by object. `chosen` ascends; the cost is that of what these accounts carry at all."""
        mine = self.shares[accounts]
        row = np.repeat(np.arange(len(accounts)), np.diff(mine.indptr))
        at = np.minimum(np.searchsorted(chosen, mine.indices), max(len(chosen) - 1, 0))
        kept = chosen[at] == mine.indices if len(chosen) else np.zeros(len(at), dtype=np.bool_)
        return row[kept], at[kept], mine.data[kept]


def shared_objects(population: Population) -> SharedObjects:
    """Stack the layers of a night."""
    first = np.cumsum([0] + [layer.n_objects for layer in population.layers]).astype(np.int64)
    rows = [layer.account for layer in population.layers]
    columns = [layer.object + start for layer, start in zip(population.layers, first, strict=False)]
    values = [np.clip(layer.share, 1e-6, 1.0) for layer in population.layers]
    nothing = np.empty(0)
    row, column = (np.concatenate([*parts, nothing]).astype(np.int64) for parts in (rows, columns))
    shares = csr_matrix(
        (np.concatenate([*values, nothing]), (row, column)),
        shape=(len(population), int(first[-1])),
    )
    shares.sort_indices()
    by_object = shares.tocsc()
    return SharedObjects(
        shares=shares,
        by_object=by_object,
        n_accounts_of=np.diff(by_object.indptr).astype(np.float64),
        layer_of=np.repeat(np.arange(len(population.layers)), np.diff(first)).astype(np.int64),
        first_object=first,
    )
