"""An outage: for some hours many requests of everybody fail, and clients and people send them again.

Here: `Outage`, and what one does to a night's rows. Not here: refusals of one account (traffic), an operator
who sends by another account what was refused (campaigns).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from pipelines.simulate.population import DAY_US, random_ids
from pipelines.simulate.texts.grammar import Rng

_STATUSES = np.array([500, 503, 529])
_TRY_AGAIN = 0.8
"""Share of what failed that is sent once more, by the same account: all others are down as well."""
_RETRY_S = 12.0
"""Median wait."""


class Outage(BaseModel):
    """One outage, as a scenario describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    night: int = Field(ge=1)
    """The first night of the world is 1."""
    hour: float = Field(ge=0, lt=24)
    """When it begins, UTC."""
    hours: float = Field(gt=0, le=24)
    """How long it lasts, to midnight at most."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Part of the requests that fail."""


def struck(rows: pa.Table, outages: Sequence[Outage], midnight_us: int, rng: Rng) -> pa.Table:
    """The rows of a night's group as outages of that night leave them: some failed, most of those once more.

    Parameters
    ----------
    rows : canonical request rows
    midnight_us : microseconds since the epoch at which the night begins
    """
    for outage in outages:
        since_us = np.asarray(rows["ts"].cast(pa.int64()).to_numpy()) - midnight_us
        begin_us = outage.hour * 3.6e9
        inside = (since_us >= begin_us) & (since_us < begin_us + outage.hours * 3.6e9)
        fails = inside & (rng.random(len(since_us)) < outage.share)
        again = np.flatnonzero(fails & (rng.random(len(since_us)) < _TRY_AGAIN))
        later_us = since_us[again] + (rng.lognormal(np.log(_RETRY_S), 0.8, len(again)) * 1e6).astype(np.int64)
        again, later_us = again[later_us < DAY_US], later_us[later_us < DAY_US]
        # What failed once comes again as it was asked, before it is marked as failed.
        tried_again = _once_more(rows, again, midnight_us + later_us, rng)
        rows = pa.concat_tables([_failed(rows, fails, rng), tried_again])
    return rows


def _failed(rows: pa.Table, fails: npt.NDArray[np.bool_], rng: Rng) -> pa.Table:
    hit = pa.array(fails)
    status = pa.array(rng.choice(_STATUSES, len(rows))).cast(pa.int32())
    nothing, reason = pa.scalar(0, pa.int64()), pa.scalar("error")
    changed = {"status": status, "stop_reason": reason, "output_tokens": nothing, "reasoning_tokens": nothing}
    for name, value in changed.items():
        rows = _with(rows, name, pc.if_else(hit, value, rows[name]))
    return rows


def _once_more(
    rows: pa.Table, which: npt.NDArray[np.int64], at_us: npt.NDArray[np.int64], rng: Rng
) -> pa.Table:
    rows = rows.take(pa.array(which))
    fresh = {
        "request_id": random_ids("req_", len(which), rng, 22),
        "provider_request_id": random_ids("up_", len(which), rng, 18),
        "ts": pa.array(at_us, pa.timestamp("us", tz="UTC")),
        "attempt": pc.add(pc.fill_null(rows["attempt"], 1), 1).cast(pa.int32()),
    }
    for name, value in fresh.items():
        rows = _with(rows, name, value)
    return rows


def _with(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    at = rows.schema.get_field_index(name)
    return rows.set_column(at, rows.schema.field(at), values)
