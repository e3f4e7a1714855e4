"""The way of a batch of requests into core.request: its texts become fingerprints, its rows are written.

Here: the fingerprint kernel on all threads, one writer, reading ahead. Not here: files, repeats and counts
(load), the kernel itself (detector.text).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detector import text
from pipelines.settings import Settings
from pipelines.warehouse.arrow import registered
from pipelines.warehouse.opening import n_threads
from pipelines.warehouse.statements import statement

ROWS_PER_WRITE = 122_880
"""Rows gathered for one insert: a row group of DuckDB's, which is compressed and written at once."""


MOST_WRITES = 2
"""Writes that may wait for the writer: more would only fill memory."""


class Intake:
    """The way of batches into core.request: fingerprinted on all threads, written while more are read.

    Batches of one file and the next are in work together, as many as there are threads, so that nobody
    waits for anybody. One thread writes: several would leave broken row groups behind, which the next
    checkpoint writes all over again. Until `finish`, that thread alone uses the connection; `later` lends it.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, settings: Settings, key: bytes) -> None:
        self._con = con
        self._key = key
        self._secret = text.secret_of(key)
        self._max_bytes = settings.input.max_prompt_bytes
        self._n_workers = n_threads(settings)
        self._workers = ThreadPoolExecutor(self._n_workers)
        self._in_work: deque[Future[_Narrow]] = deque()
        self._waiting: list[_Narrow] = []
        self._n_waiting = 0
        self._writer = ThreadPoolExecutor(1)
        self._writing: deque[Future[None]] = deque()

    def __enter__(self) -> "Intake":
        (self._n_threads,) = self._con.execute("SELECT current_setting('threads')").fetchall()[0]
        self._con.execute("SET threads = 1")
        # Each row group is written when it is full. Five together, as DuckDB likes it, would come in bursts
        # for which all others wait, and the last burst at the very end.
        self._con.execute("SET write_buffer_row_group_count = 1")
        return self

    def __exit__(self, *exc: object) -> None:
        self._workers.shutdown(cancel_futures=True)
        self._writer.shutdown()
        self._con.execute(f"SET threads = {int(self._n_threads)}")
        self._con.execute("RESET write_buffer_row_group_count")

    def put(self, batch: pa.RecordBatch, file_id: int) -> None:
        """Take one batch in; returns before it is written."""
        self._in_work.append(self._workers.submit(_narrow, batch, file_id, self._max_bytes, self._secret))
        if len(self._in_work) > self._n_workers:
            self._gather()

    def later(self, write: Callable[..., None], *arguments: object) -> None:
        """Call write(con, *arguments) when the writer comes to it; raises what earlier writes ran into."""
        self._writing.append(self._writer.submit(write, self._con, *arguments))
        while len(self._writing) > MOST_WRITES:
            self._writing.popleft().result()

    def finish(self) -> None:
        """Write everything that was put in, and wait for it."""
        while self._in_work:
            self._gather()
        self._write_out()
        while self._writing:
            self._writing.popleft().result()

    def _gather(self) -> None:
        narrow = self._in_work.popleft().result()
        self._waiting.append(narrow)
        self._n_waiting += len(narrow.requests)
        if self._n_waiting >= ROWS_PER_WRITE:
            self._write_out()

    def _write_out(self) -> None:
        if self._waiting:
            self.later(_write, self._waiting, self._key.decode("latin-1"))
        self._waiting, self._n_waiting = [], 0


def _write(con: duckdb.DuckDBPyConnection, batches: Sequence["_Narrow"], salt: str) -> None:
    with registered(con, "batch", pa.concat_tables(batch.requests for batch in batches)):
        con.execute(statement("load/batch"), {"salt": salt})
        con.execute(statement("load/toolsets"), {"salt": salt})
    with registered(con, "systems", pa.concat_tables(batch.systems for batch in batches)):
        con.execute("INSERT INTO new_system BY NAME FROM systems")


BATCHES_AHEAD = 3
"""Batches read before they are needed: a reader brings them in bursts, a row group at a time."""


@contextmanager
def read_ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[Iterator[pa.RecordBatch]]:
    """Read on while earlier batches are fingerprinted: DuckDB and the kernel both leave Python's lock."""
    with ThreadPoolExecutor(1) as pool:

        def ahead() -> Iterator[pa.RecordBatch]:
            coming = deque(pool.submit(next, batches, None) for _ in range(BATCHES_AHEAD))
            while (batch := coming.popleft().result()) is not None:
                coming.append(pool.submit(next, batches, None))
                yield batch

        yield ahead()


_TEXTS = ("prompt", "system_prompt", "response")
_UNUSED = ("trace_id",)


@dataclass(frozen=True, slots=True)
class _Narrow:
    """One batch with fingerprints in the place of its texts."""

    requests: pa.Table
    systems: pa.Table
    """Its distinct system prompts, as fingerprints."""


def _narrow(batch: pa.RecordBatch, file_id: int, max_bytes: int, secret: text.Secret) -> _Narrow:
    """Read the texts of one batch into fingerprints; the texts end here."""
    weights = text.classifier().weights
    prints = text.fingerprint(batch.column("prompt"), weights=weights, secret=secret, max_bytes=max_bytes)
    system_prints, system_of, systems = _system_prints(batch.column("system_prompt"), max_bytes, secret)
    classes = text.classify(prints, system_prints, system_of)
    responses = batch.column("response")
    columns = {
        name: batch.column(name) for name in batch.schema.names if name not in _TEXTS and name not in _UNUSED
    } | {
        "version": batch["version"] if "version" in batch.schema.names else pa.nulls(len(batch), pa.int64()),
        "file_id": pa.repeat(pa.scalar(file_id, pa.int32()), len(batch)),
        "prompt_hash": prints.text_hash,
        "n_prompt_bytes": prints.n_bytes,
        "n_prompt_tokens": prints.n_tokens,
        "script": prints.script,
        "capability": classes.capability,
        "technique": classes.technique,
        "technique_margin": classes.technique_margin,
        "training_permille": text.training_permille(classes),
        "shingles": prints.shingles,
        "system_hash": system_prints.text_hash.take(pa.array(system_of, mask=system_of < 0)),
        "response_hash": (
            pa.nulls(len(batch), pa.uint64())
            if responses.null_count == len(batch)
            else text.fingerprint(responses, secret=secret, max_bytes=max_bytes).text_hash
        ),
    }
    return _Narrow(pa.table(columns), systems)


def _system_prints(
    systems: pa.StringArray, max_bytes: int, secret: text.Secret
) -> tuple[text.Fingerprints, npt.NDArray[np.int64], pa.Table]:
    """Fingerprints of the distinct system prompts, each row's among them (-1: none), and their table.

    A framework sends the same long system prompt with every request, so each is read once a batch.
    """
    encoded = systems.dictionary_encode()
    weights = text.classifier().weights
    prints = text.fingerprint(encoded.dictionary, weights=weights, secret=secret, max_bytes=max_bytes)
    table = pa.table(
        {
            "system_hash": prints.text_hash,
            "n_bytes": prints.n_bytes,
            "training_permille": text.training_permille(text.classify(prints)),
            "shingles": prints.shingles,
        }
    )
    system_of = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return prints, system_of, table


def warm_up() -> None:
    """Compile the text kernel, or fetch it from numba's cache: the first run's time is a step of its own."""
    text.fingerprint(pa.array(["warm", "up"]), weights=text.classifier().weights)
