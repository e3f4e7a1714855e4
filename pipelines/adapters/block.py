"""What a text container hands on: a piece of the file as Arrow rows, and the records it could not read."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipelines.adapters.refusals import Fault


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that is refused as a whole."""

    row_number: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one piece of a file, in the file's order."""

    rows: pa.Table
    """`row_number` (int64, 1-based physical line or row) and the container's columns."""

    malformed: Sequence[Malformed] = ()
