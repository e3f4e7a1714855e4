"""One night in memory, as the detector of campaigns sees it.

Here: fetching accounts and what they share into arrays. Not here: what is made of them (judging).
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from detector import campaigns as detect
from pipelines.campaigns.fail_overs import circles, known_fail_overs, note_fail_overs
from pipelines.campaigns.frames import frame_of
from pipelines.campaigns.hand_overs import measure_hand_overs
from pipelines.campaigns.sign_ups import rushes
from pipelines.campaigns.sizes import sizes
from pipelines.warehouse.arrow import fetch

LAYER_KINDS = (
    "template",
    "system_prompt",
    "tool_set",
    "payment",
    "address",
    "client",
    "parameters",
    "fail_over",
    "sign_up",
    "size",
)

SHOWN = ("account_id", "n_requests", "output_tokens", "first_sent_at", "last_sent_at")
"""What findings say of their accounts; the rest of an account's row is in the population's arrays."""

LASTING_NIGHTS = 14
"""Nights over which the use of a text adds up: two weeks show the slowest account of the public record at
eighty requests, and a fashion at two."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night in memory: the accounts' frame, the detector's view of it, names of shared objects."""

    day: date
    accounts: pl.DataFrame
    population: detect.Population
    names: dict[str, list[str]]
    """kind of layer -> names of its objects"""
    remembers: bool = True
    """whether campaigns of earlier nights are known"""

    def without(self, parts: Collection[detect.Part]) -> "Night":
        """The same night, nothing known of these parts."""
        if not parts:
            return self
        return replace(
            self, population=detect.without(self.population, parts), remembers="history" not in parts
        )

    def with_added_texts(self, account_ids: Collection[str]) -> "Night":
        """The same night, these accounts known to add a text to what many products send."""
        adding = self.accounts["account_id"].is_in(list(account_ids)).to_numpy()
        return replace(self, population=replace(self.population, adds_text=adding))

    def account_ids(self, members: npt.NDArray[np.int64]) -> list[str]:
        """Ids of the accounts at these positions."""
        ids: list[str] = self.accounts["account_id"].gather(members).to_list()
        return ids

    def family_requests(self, group: detect.Group) -> dict[str, float]:
        """The families of texts that hold a group together, and its members' requests from each."""
        layer = self.population.layer(group.layer)
        if layer is None:
            return {}
        requests = np.bincount(layer.object[group.rows], group.uses.n_requests, minlength=layer.n_objects)
        used = np.unique(layer.object[group.rows])
        return {self.names[group.layer][object_]: float(requests[object_]) for object_ in used}


@dataclass(frozen=True, slots=True)
class Objects:
    """What accounts share on a night, by their positions: ids of millions of rows are not kept.

    names : kind of layer -> names of its objects
    """

    layers: tuple[detect.Layer, ...]
    names: dict[str, list[str]]
    templates: detect.Uses
    systems: detect.Uses


def gather_objects(con: duckdb.DuckDBPyConnection, day: date) -> Objects:
    """What accounts could share on `day`, for `find_campaigns`: long queries, and they need no scores. Notes
    the night's fail-overs. Needs night.account_day of the day."""
    note_fail_overs(con, day)
    accounts = pl.from_arrow(
        fetch(
            con, "SELECT account_id FROM night.account_day WHERE day = $day ORDER BY account_id", {"day": day}
        )
    )
    assert isinstance(accounts, pl.DataFrame)
    position = accounts.with_row_index("account").select("account_id", pl.col("account").cast(pl.Int64))
    objects = frame_of(
        con,
        "campaigns/objects",
        {
            "day": day,
            "most_common": detect.EVERYBODYS,
            "lasting_nights": LASTING_NIGHTS,
        },
    )
    more = [
        circles(con, day, LASTING_NIGHTS).with_columns(kind=pl.lit("fail_over"), share=pl.lit(1.0)),
        rushes(con, day).with_columns(kind=pl.lit("sign_up"), share=pl.lit(1.0)),
        sizes(con, day).with_columns(kind=pl.lit("size")),
    ]
    rows = (
        pl.concat([objects, *more], how="diagonal")
        .with_columns(pl.col(pl.Float64).fill_null(0.0))
        .join(position, on="account_id", how="inner", maintain_order="left")
        .drop("account_id")
    )
    by_kind = {
        str(kind): frame
        for (kind,), frame in rows.partition_by("kind", as_dict=True, maintain_order=True).items()
    }
    kinds = [kind for kind in LAYER_KINDS if kind in by_kind]
    names = {kind: by_kind[kind]["object"].unique(maintain_order=True).to_list() for kind in kinds}
    layers = [_layer(kind, by_kind[kind], len(names[kind])) for kind in kinds]
    nothing = rows.clear()
    return Objects(
        tuple(layers),
        names,
        _uses(by_kind.get("template", nothing)),
        _uses(by_kind.get("system_prompt", nothing)),
    )


def _layer(kind: str, rows: pl.DataFrame, n_objects: int) -> detect.Layer:
    # Rows come ordered by object, so a run's number is the object's position.
    number = rows["object"].rle_id().to_numpy().astype(np.int64)
    return detect.Layer(kind, rows["account"].to_numpy(), number, rows["share"].to_numpy(), n_objects)


def fetch_night(con: duckdb.DuckDBPyConnection, day: date, objects: Objects) -> Night:
    accounts = frame_of(con, "campaigns/accounts", {"day": day})
    position = pl.DataFrame({"account_id": accounts["account_id"], "account": np.arange(len(accounts))})
    population = detect.Population(
        n_requests=_floats(accounts, "n_requests"),
        output_tokens=_floats(accounts, "output_tokens"),
        hour_counts=accounts["hour_counts"].explode().to_numpy().astype(np.float64).reshape(-1, 24),
        single_turn_share=_floats(accounts, "single_turn_share"),
        training_share=_floats(accounts, "training_share"),
        repeat_share=_floats(accounts, "repeat_share"),
        output_tokens_mean=_floats(accounts, "output_tokens_mean"),
        account_age_days=_floats(accounts, "account_age_days"),
        new_model_share=_floats(accounts, "new_model_share"),
        greedy_share=_floats(accounts, "zero_temperature_share"),
        nights_seen=_floats(accounts, "nights_seen"),
        account_score=_floats(accounts, "account_score"),
        organisation=_codes(accounts["org_id"]),
        payment=_codes(accounts["payment_fingerprint"]),
        approved=accounts["is_approved"].to_numpy().astype(np.bool_),
        habits=detect.in_steps([_floats(accounts, name) for name in detect.HABITS]),
        layers=objects.layers,
        templates=objects.templates,
        systems=objects.systems,
        fail_overs=known_fail_overs(con, day, LASTING_NIGHTS, position),
        hand_overs=measure_hand_overs(con, day, LASTING_NIGHTS, objects.names.get("template", [])),
    )
    return Night(day, accounts.select(SHOWN), population, objects.names)


def _uses(rows: pl.DataFrame) -> detect.Uses:
    columns = ("n_requests", "n_earlier_requests", "n_items", "n_shared_items", "n_training", "n_repeated")
    return detect.Uses(*(rows[name].to_numpy() for name in columns))


def _floats(frame: pl.DataFrame, column: str) -> npt.NDArray[np.float64]:
    return frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _codes(names: pl.Series) -> npt.NDArray[np.int64]:
    """Equal names, equal numbers; -1 where there is none."""
    return names.rank("dense").cast(pl.Int64).fill_null(-1).to_numpy()
