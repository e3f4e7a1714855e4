"""Records of one request, wherever they lie among others: gathered once, whole and in order."""

import json

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.adapters.block import Block
from pipelines.adapters.connection import connect
from pipelines.adapters.gathering import gathered
from pipelines.adapters.source import TEXT, Gathering, Source

BY_CALL = Source(
    name="calls",
    title="Calls in parts",
    versions="",
    told_by=(),
    structure={"call": TEXT, "at": TEXT},
    gathering=Gathering(
        key="doc.call", place="doc.at::BIGINT", parts={"calls": "doc.call", "places": "doc.at"}, most=50
    ),
    columns={},
)


def gather(*blocks, by=BY_CALL):
    """Row number and parts of each document, block after block."""
    con = connect(1)
    first, tables = 1, []
    for lines in blocks:
        numbers = pa.array(range(first, first + len(lines)), pa.int64())
        tables.append(Block(pa.table({"row_number": numbers, "line": pa.array(lines, pa.large_string())})))
        first += len(lines)
    found = [*gathered(con, iter(tables), by)]
    documents = [row for block in found for row in block.rows.to_pylist()]
    malformed = [one.row_number for block in found for one in block.malformed]
    return [(row["row_number"], parts_of(row)) for row in documents], malformed


def parts_of(row):
    return [{"call": call, "at": int(at)} for call, at in zip(row["calls"], row["places"], strict=True)]


def line(call, at):
    return json.dumps({"call": call, "at": at})


def gather_slowly(blocks):
    """The definition read aloud: a call ends with the first block that has nothing of it."""
    done, open_calls, number = [], {}, 0
    for lines in blocks:
        seen = {}
        for text in lines:
            number += 1
            one = json.loads(text)
            seen.setdefault(one["call"] or f"row {number}", []).append((one["at"], number, one))
        for call in [call for call in open_calls if call not in seen]:
            done.append(open_calls.pop(call))
        for call, parts in seen.items():
            open_calls.setdefault(call, []).extend(parts)
    done += open_calls.values()
    return sorted((min(n for _, n, _ in parts), [one for *_, one in sorted(parts, key=lambda p: p[:2])])
                  for parts in done)  # fmt: skip


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 3)), max_size=6),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=60, deadline=None)
def test_it_agrees_with_the_definition(blocks):
    lines = [[line(call, at) for call, at in block] for block in blocks]
    documents, malformed = gather(*lines)
    assert sorted(documents, key=lambda d: d[0]) == gather_slowly(lines)
    assert malformed == []


def test_what_cannot_be_read_is_named_and_what_a_client_broke_is_mended():
    broken = '{"call": "a", "at": 1, "text": "\\ud800"}'
    documents, malformed = gather([line("a", 2), "{no json", broken, "", "[1]"])
    assert [(number, [part["at"] for part in parts]) for number, parts in documents] == [(1, [1, 2])]
    assert sorted(malformed) == [2, 5]


def test_of_a_request_without_end_no_more_is_read_than_its_format_allows():
    documents, _ = gather([line("a", at) for at in range(200)])
    assert [part["at"] for part in documents[0][1]] == [*range(50)]


def test_calls_of_one_record_each_are_gathered_whole_whichever_thread_parsed_them():
    n = 10_000
    rows = pa.table({
        "row_number": pa.array(range(1, n + 1), pa.int64()),
        "line": pa.array([line(f"c{at}", at) for at in range(n)], pa.large_string()),
    })  # fmt: skip
    (_, last) = gathered(connect(2), iter([Block(rows)]), BY_CALL)
    found = sorted((row["row_number"], row["calls"], row["places"]) for row in last.rows.to_pylist())
    assert found == [(at + 1, [f"c{at}"], [str(at)]) for at in range(n)]
