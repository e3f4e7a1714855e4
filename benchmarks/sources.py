"""How fast each log format is read, against DuckDB's own parsing of the same file.

    PYTHONPATH=. python benchmarks/sources.py --rows 200000

For each writing of each source: simulated requests are written in the format, then read (a) by DuckDB's
`read_json` into the very fields the source declares, which is what parsing costs at the least, and (b) by the
adapter into canonical Arrow batches. Where bodies are JSON texts within the JSON, (a) parses them as well, as
everybody must who wants to see them; a body in pieces (Azure) is left a text, and what it costs to see it is
another column: the pieces opened, put together by call and parsed, again by DuckDB alone. Of lines for people
(a) is DuckDB's `read_csv` and one `regexp_extract` for each kind of line, which cuts it into the fields that
the source reads.

Rows: the requests of a simulated day, as they came, prompts of many lengths and languages among them; 200,000
are a file of 300 to 700 MB where bodies are logged, as a gateway writes in some hours, in several blocks of
the reader's. Fewer rows say what a smaller file costs: planning a statement, which is done once for all files
of a format, is in `first_cpu_s` alone. A ratio of few rows flatters, for (a) opens a database of its own.

Printed: seconds of processor time (a neighbour's load does not count) and of the clock, medians of several
runs; the ratio of (b) to (a), each run of one right after one of the other, the median of the ratios; and
requests a second by the clock, which a neighbour's load lowers. Our promise: a ratio of at most 2, and never
under 40,000 requests a second on two cores.
"""

import argparse
import json
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.adapters import open_log
from pipelines.adapters.source import Source
from pipelines.adapters.sources import WRITINGS
from pipelines.adapters.sources.bodies import REQUEST, RESPONSE
from pipelines.simulate import simulate
from pipelines.simulate.files import WRITERS

BATCH_ROWS = 65_536

BODIES_WITHIN: Mapping[str, Mapping[str, Any]] = {
    "databricks": {"request": REQUEST, "response": RESPONSE},
    "helicone": {"request_body": REQUEST, "response_body": RESPONSE},
    "kong": {"ai.proxy.payload.request": REQUEST, "ai.proxy.payload.response": RESPONSE},
    "langfuse": {"input": REQUEST, "modelParameters": REQUEST},
}
"""Of writings whose bodies are no part of the structure: where their texts lie, and what is read of them."""


_SAMPLING = ", ".join(f"{name}=([^,)]*)" for name in ("n", "temperature", "top_p"))
LINES: Mapping[str, Mapping[str, str]] = {
    "uvicorn": {"HTTP/": r'(\S+) .*?([0-9a-fA-F.:\[\]]+):\d+ - "([A-Z]+) (\S+) HTTP/[0-9.]+" (\d{3})'},
    "vllm": {
        "Received request ": r"(\S+) \[\S+\] Received request ([^\s:]+): params: SamplingParams\("
        rf"{_SAMPLING}, .*?max_tokens=([^,)]*), logprobs=([^,)]*)\), lora_request: (.*)",
        " details: ": r"Request ([^\s:]+) details: prompt: (.*), prompt_token_ids: ",
        "Generated response ": r"Generated response ([^\s:]+): output: (.*), output_token_ids: "
        r".*, finish_reason: (\w+)",
    },
}
"""Of lines for people: words that tell a kind of line, and the expression that cuts it into fields."""


class Pieces(NamedTuple):
    """Of a writing that cuts bodies into pieces, a record each: where all these lie in a record."""

    fields: str
    call: str
    number: str
    bodies: tuple[str, str]


PIECES: Mapping[str, Pieces] = {
    "azure-apim": Pieces("", "CorrelationId", "SequenceNumber", ("RequestMessages", "ResponseMessages")),
    "azure-apim-storage": Pieces(
        "properties.", "correlationId", "sequenceNumber", ("requestMessages", "responseMessages")
    ),
}
MESSAGES = '[{"role": "VARCHAR", "content": "JSON"}]'


class Cost(NamedTuple):
    """Of one run."""

    clock_s: float
    processor_s: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--rows", type=int, default=200_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("formats", nargs="*", help="simulate's names of formats; all of them without any")
    asked = options.parse_args()
    unknown = set(asked.formats) - set(WRITINGS)
    if unknown:
        sys.exit(f"no such format: {', '.join(sorted(unknown))}; there are {', '.join(WRITINGS)}")
    with tempfile.TemporaryDirectory() as place:
        rows = requests(Path(place), asked.rows)
        print(
            "format\tMB\tfirst_cpu_s\tparsing_cpu_s\treading_cpu_s\tratio\tparsing_s\treading_s\trequests_per_s"
            "\tratio_to_bodies_parsed"
        )
        for name in asked.formats or WRITINGS:
            print(figures(name, rows, Path(place), asked.runs, asked.threads), flush=True)


def requests(place: Path, n_rows: int) -> pa.Table:
    """Simulated requests, repeated under new names until there are enough."""
    simulate(place / "world", scale="benign", days=1)
    paths = sorted((place / "world" / "logs").glob("*/*.parquet"))
    night = pa.concat_tables(pq.ParquetFile(path).read() for path in paths)
    names = {night.schema.get_field_index(name): name for name in ("request_id", "provider_request_id")}
    nights = []
    for at in range(-(-n_rows // len(night))):
        again = night
        for column, name in names.items():
            renamed = pc.binary_join_element_wise(night[name], f"n{at}", "-")
            again = again.set_column(column, name, renamed)
        nights.append(again)
    return pa.concat_tables(nights).slice(0, n_rows)


def figures(name: str, rows: pa.Table, place: Path, n_runs: int, threads: int) -> str:
    source, writing = WRITINGS[name]
    path = place / f"{name}{writing.ending}"
    WRITERS[name][1](rows, path)
    within = BODIES_WITHIN.get(name, {})

    def parsed() -> None:
        if name in LINES:
            cut(path, LINES[name], threads)
        else:
            parse(path, source, within, threads)

    def bodies_parsed() -> None:
        if name in PIECES:
            put_together(path, source, PIECES[name], threads)

    first = cost_of(lambda: read(path, len(rows), threads))
    runs = [
        (cost_of(parsed), cost_of(lambda: read(path, len(rows), threads)), cost_of(bodies_parsed))
        for _ in range(n_runs)
    ]
    size_mb = path.stat().st_size / 1e6
    path.unlink()
    ratio = median(reading.processor_s / parsing.processor_s for parsing, reading, _ in runs)
    to_bodies = median(reading.processor_s / bodies.processor_s for _, reading, bodies in runs)
    parsing_cpu_s, reading_cpu_s = (median(run[at].processor_s for run in runs) for at in (0, 1))
    parsing_s, reading_s = (median(run[at].clock_s for run in runs) for at in (0, 1))
    return (
        f"{name}\t{size_mb:.0f}\t{first.processor_s:.2f}\t{parsing_cpu_s:.2f}\t{reading_cpu_s:.2f}\t"
        f"{ratio:.2f}\t{parsing_s:.2f}\t{reading_s:.2f}\t{len(rows) / reading_s:,.0f}\t"
        f"{f'{to_bodies:.2f}' if name in PIECES else '-'}"
    )


def parse(path: Path, source: Source, within: Mapping[str, Any], threads: int) -> None:
    """DuckDB's own parsing into the source's fields, to Arrow like ours."""
    kinds = {name: "VARCHAR" if name in within else kind for name, kind in source.structure.items()}
    columns = ", ".join(f"'{name}': '{duckdb_type(kind)}'" for name, kind in kinds.items())
    bodies = "".join(f", json_transform({text}, $body_{at}) AS body_{at}" for at, text in enumerate(within))
    structures = {f"body_{at}": json.dumps(kind, default=dict) for at, kind in enumerate(within.values())}
    with duckdb.connect(config={"threads": threads}) as con:
        answer = con.sql(
            f"SELECT *{bodies} FROM read_json($path, format = 'newline_delimited', columns = {{{columns}}})",
            params={"path": str(path)} | structures,
        )
        for _ in answer.to_arrow_reader(BATCH_ROWS):
            pass


def put_together(path: Path, source: Source, pieces: Pieces, threads: int) -> None:
    """DuckDB's own parsing of a call's records, its bodies too: a row for each call, to Arrow like ours."""
    columns = ", ".join(f"'{name}': '{duckdb_type(kind)}'" for name, kind in source.structure.items())
    inner = source.structure[pieces.fields.rstrip(".")] if pieces.fields else {}
    others = [name for name in source.fields if f"{name}." != pieces.fields]
    others += [f"{pieces.fields}{name}" for name in inner]
    bodies = [f"{pieces.fields}{name}" for name in pieces.bodies]
    firsts = ", ".join(f'any_value({path_of(name)}) AS "{name}"' for name in others if name not in bodies)
    number = f"TRY_CAST({path_of(pieces.fields + pieces.number)} AS BIGINT)"
    parsed = ", ".join(
        f"json_transform(string_agg({path_of(body)} ->> '$', '' ORDER BY {number}), $messages) AS body_{at}"
        for at, body in enumerate(bodies)
    )
    with duckdb.connect(config={"threads": threads}) as con:
        answer = con.sql(
            f"SELECT {firsts}, {parsed} FROM read_json($path, format = 'newline_delimited', "
            f'columns = {{{columns}}}) GROUP BY "{pieces.call}"',
            params={"path": str(path), "messages": MESSAGES},
        )
        for _ in answer.to_arrow_reader(BATCH_ROWS):
            pass


def path_of(name: str) -> str:
    """A field, or one within another, as SQL."""
    return ".".join(f'"{part}"' for part in name.split("."))


def cut(path: Path, kinds: Mapping[str, str], threads: int) -> None:
    """Lines for people into their fields, to Arrow like ours: nothing is put together, opened or cast."""
    fields = ", ".join(
        f"CASE WHEN contains(line, '{words}') "
        f"THEN regexp_extract(line, $pattern_{at}, [{_names(pattern)}]) END AS kind_{at}"
        for at, (words, pattern) in enumerate(kinds.items())
    )
    patterns = {f"pattern_{at}": pattern for at, pattern in enumerate(kinds.values())}
    lines = "read_csv($path, columns = {'line': 'VARCHAR'}, delim = chr(1), quote = '', header = false)"
    with duckdb.connect(config={"threads": threads}) as con:
        answer = con.sql(f"SELECT {fields} FROM {lines}", params={"path": str(path)} | patterns)
        for _ in answer.to_arrow_reader(BATCH_ROWS):
            pass


def _names(pattern: str) -> str:
    return ", ".join(f"'field_{at}'" for at in range(re.compile(pattern).groups))


def duckdb_type(kind: Any) -> str:
    """A JSON structure as a DuckDB type."""
    if isinstance(kind, Mapping):
        fields = ", ".join(f'"{name}" {duckdb_type(inner)}' for name, inner in kind.items())
        return f"STRUCT({fields})"
    return f"{duckdb_type(kind[0])}[]" if isinstance(kind, list) else str(kind)


def read(path: Path, n_rows: int, threads: int) -> None:
    with open_log(path, batch_rows=BATCH_ROWS, threads=threads) as reader:
        assert sum(len(batch) for batch in reader.batches()) == n_rows


def cost_of(work: Callable[[], None]) -> Cost:
    clock, processor = time.perf_counter(), used()
    work()
    return Cost(time.perf_counter() - clock, used() - processor)


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
