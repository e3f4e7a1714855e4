"""What was refused of one file: rows and reasons, as numbers until somebody asks.

Here: gathering and the table of it. Not here: the wording (`refusals`), finding the faults (`canonical` and
the containers).
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipelines.adapters.block import Malformed
from pipelines.adapters.canonical import Problem
from pipelines.adapters.refusals import Fault

REFUSED_SCHEMA = pa.schema(
    [
        ("row_number", pa.int64()),
        ("column_name", pa.string()),
        ("reason", pa.string()),
        ("remedy", pa.string()),
    ]
)


class Refusals:
    """Refused rows, kept as numbers: a wholly bad file must fit in memory."""

    def __init__(self) -> None:
        self.meanings: tuple[Problem, ...] = ()
        """What each bit of a row's faults means."""
        self._rows: list[np.ndarray] = []
        self._faults: list[np.ndarray] = []
        self._malformed: dict[Fault, list[np.ndarray]] = {}

    @property
    def malformed(self) -> list[Malformed]:
        """The records that were refused as a whole, by fault."""
        return [
            Malformed(int(row), fault)
            for fault, parts in self._malformed.items()
            for part in parts
            for row in part
        ]

    @property
    def n_malformed(self) -> int:
        return sum(len(part) for parts in self._malformed.values() for part in parts)

    @property
    def n_rows(self) -> int:
        return sum(map(len, self._rows)) + self.n_malformed

    def add_rows(self, row_numbers: np.ndarray, faults: np.ndarray) -> None:
        is_bad = faults != 0
        self._rows.append(row_numbers[is_bad])
        self._faults.append(faults[is_bad])

    def add_malformed(self, malformed: Sequence[Malformed]) -> None:
        for fault in {one.fault for one in malformed}:
            rows = np.array([one.row_number for one in malformed if one.fault == fault], np.int64)
            self._malformed.setdefault(fault, []).append(rows)

    def table(self, *, every_fault: bool) -> pa.Table:
        """Columns of `REFUSED_SCHEMA`, by row number, then by the order of the columns."""
        found = [*self._of_rows(every_fault=every_fault), *self._of_malformed()]
        if not found:
            return REFUSED_SCHEMA.empty_table()
        rows = np.concatenate([part for _, part in found])
        kinds = np.repeat(np.arange(len(found)), [len(part) for _, part in found])
        order = np.lexsort((kinds, rows))
        picked = pa.array(kinds[order])
        columns = {
            "column_name": [problem.column for problem, _ in found],
            "reason": [problem.fault.reason for problem, _ in found],
            "remedy": [problem.fault.remedy for problem, _ in found],
        }
        texts = {name: pa.array(values, pa.string()).take(picked) for name, values in columns.items()}
        return pa.table({"row_number": pa.array(rows[order], pa.int64()), **texts}, REFUSED_SCHEMA)

    def _of_rows(self, *, every_fault: bool) -> list[tuple[Problem, np.ndarray]]:
        """The rows that each problem has; of each row the first problem alone, unless `every_fault`."""
        if not self._rows:
            return []
        rows, faults = np.concatenate(self._rows), np.concatenate(self._faults)
        left = np.ones(len(rows), bool)
        found = []
        for bit, problem in enumerate(self.meanings):
            has = left & ((faults >> bit) & 1).astype(bool)
            found.append((problem, rows[has]))
            if not every_fault:
                left &= ~has
        return found

    def _of_malformed(self) -> list[tuple[Problem, np.ndarray]]:
        return [(Problem(None, fault), np.concatenate(parts)) for fault, parts in self._malformed.items()]
