"""Enforcement inside a simulated world: which accounts a person shut, and from which night on.

Here: reading the findings of a night, the file `bans.parquet` of a world, and what each group sees of it.
Not here: how an operator answers a ban (campaigns), the findings themselves (pipelines.findings).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import UsageError

ACTIONS = ("watch", "limit", "verify", "suspend")
"""Recommended actions, mildest first."""

SCHEMA = {"account_id": pl.String, "banned_from": pl.Date}


@dataclass(frozen=True, slots=True)
class Bans:
    """Accounts that were shut so far: `account_id` and `banned_from`, the first day without them."""

    rows: pl.DataFrame

    @classmethod
    def none(cls) -> "Bans":
        """Nobody was shut."""
        return cls(pl.DataFrame(schema=SCHEMA))

    @classmethod
    def read(cls, path: Path, before: date) -> "Bans":
        """Bans that were in force before a day; none where there is no file yet."""
        if not path.exists():
            return cls.none()
        return cls(pl.read_parquet(path, columns=list(SCHEMA)).filter(pl.col("banned_from") < before))

    def with_more(self, account_ids: pl.Series, banned_from: date) -> "Bans":
        """These and further accounts, shut from a day on; who is shut already stays shut since then."""
        fresh = pl.DataFrame({"account_id": account_ids.unique().sort()}, schema={"account_id": pl.String})
        fresh = fresh.join(self.rows, on="account_id", how="anti", maintain_order="left")
        return Bans(pl.concat([self.rows, fresh.with_columns(pl.lit(banned_from).alias("banned_from"))]))

    def write(self, path: Path) -> None:
        """Write the file, in order of days and ids."""
        self.rows.sort("banned_from", "account_id").write_parquet(path)

    def nights(self, account_ids: pa.Array, first_day: date, never: int) -> npt.NDArray[np.int64]:
        """The night (0-based) from which on each account is shut, `never` for the others.

        Returns
        -------
        int64, shape (len(account_ids),)
        """
        found = np.full(len(account_ids), never, np.int64)
        if self.rows.is_empty():
            return found
        nights = (self.rows["banned_from"] - first_day).dt.total_days().to_numpy()
        at = pc.index_in(account_ids, value_set=self.rows["account_id"].to_arrow().cast(pa.string()))
        is_banned = at.is_valid().to_numpy(zero_copy_only=False)
        found[is_banned] = nights[at.drop_null().to_numpy()]
        return found


def convicted(findings: Sequence[Path], ban_at: str) -> pl.Series:
    """Accounts for which the findings of `stillwatch findings --what accounts` recommend `ban_at` or more.

    Parameters
    ----------
    findings : files written with --format jsonl, csv or parquet

    Raises
    ------
    UsageError : a file is missing, unreadable or no list of flagged accounts.
    """
    if ban_at not in ACTIONS:
        raise UsageError(f"unknown action {ban_at!r}", remedy=f"choose one of {', '.join(ACTIONS)}")
    harsh = ACTIONS[ACTIONS.index(ban_at) :]
    found = [
        _flagged(path).filter(pl.col("recommended_action").is_in(harsh)).get_column("account_id")
        for path in findings
    ]
    return pl.concat(found).unique().sort() if found else pl.Series("account_id", [], pl.String)


def _flagged(path: Path) -> pl.DataFrame:
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".jsonl": pl.read_ndjson,
        ".csv": pl.read_csv,
        ".parquet": pl.read_parquet,
    }
    remedy = "write it with `stillwatch findings --what accounts --format jsonl --out FILE`"
    if not path.is_file():
        raise UsageError(f"{path}: no such file of findings", remedy=remedy)
    if path.suffix not in readers:
        raise UsageError(f"{path}: findings are .jsonl, .csv or .parquet", remedy=remedy)
    if path.stat().st_size == 0:  # a night on which nobody was flagged
        return pl.DataFrame(schema={"account_id": pl.String, "recommended_action": pl.String})
    try:
        frame = readers[path.suffix](path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(f"{path}: cannot be read ({type(error).__name__})", remedy=remedy) from None
    columns = ("account_id", "recommended_action")
    if not set(columns) <= set(frame.columns):
        raise UsageError(f"{path}: no list of flagged accounts", remedy=remedy)
    return frame.select(pl.col(name).cast(pl.String) for name in columns)
