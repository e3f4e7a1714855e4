"""Files of notices and of past decisions, read as log files are: any container, refusals by row.

Here: their formats, declared like log sources, and what each says. Not here: which account a notice is about
(resolving).

Shapes: OpenAI's webhooks `safety_identifier.blocked`, `safety.*` and safety cases (SDK 3.54), Anthropic's
user profiles (SDK 2.12).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.adapters.canonical import FIRST_US, LAST_US, Target
from pipelines.adapters.containers import Container, Kind, look
from pipelines.adapters.reader import TableReader
from pipelines.adapters.recognition import fields_seen, names_known_to, recognises
from pipelines.adapters.refused import REFUSED_SCHEMA
from pipelines.adapters.source import TEXT, Source, has
from pipelines.errors import UnreadableInput

NOTICE_SCHEMA = pa.schema(
    [
        ("notice_id", pa.string()),
        ("said_at", pa.timestamp("us", tz="UTC")),
        ("subject", pa.string()),
        ("level", pa.string()),
        ("other_subject", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("verdict", pa.string()),
        ("category", pa.string()),
        ("reason", pa.string()),
        ("said_by", pa.string()),
    ]
)
"""One notice. `level` says what `subject` is: an `account`, a `user` (an id that the operator gave the
provider), a `request`, or a `case` of the provider that has to be fetched first; `other_subject` is another
id of the same request."""

_TARGET = Target(
    schema=NOTICE_SCHEMA,
    required=("notice_id", "said_at", "subject"),
    kept_as_written=frozenset({"subject"}),
    defaults={},
    times_within=(FIRST_US, LAST_US),
)

_BATCH_ROWS = 65_536
_UNKNOWN = "a decision of no known word"

_WEBHOOKS = (
    "safety_identifier.blocked",
    "safety.warning_issued",
    "safety.deactivation_issued",
    "safety.alert.created",
    "safety.org_alert.created",
)

_WEBHOOK = Source(
    name="openai-webhooks",
    title="OpenAI safety webhooks",
    versions="SDK 3.54",
    told_by=((has("type", *_WEBHOOKS), has("data")),),
    structure={
        "id": TEXT,
        "type": TEXT,
        "created_at": TEXT,
        "data": {
            "id": TEXT,
            "safety_category": TEXT,
            "safety_identifier": TEXT,
            "request_id": TEXT,
            "response_id": TEXT,
            "error_type": TEXT,
            "reason": TEXT,
        },
    },
    is_request=f"doc.type IN {_WEBHOOKS!r}",
    columns={
        "notice_id": "doc.id",
        "said_at": "doc.created_at",
        "subject": "coalesce(doc.data.safety_identifier, doc.data.request_id, doc.data.response_id, "
        "doc.data.id)",
        "level": "CASE WHEN doc.data.safety_identifier IS NOT NULL THEN 'user' "
        "WHEN coalesce(doc.data.request_id, doc.data.response_id) IS NOT NULL THEN 'request' ELSE 'case' END",
        "other_subject": "doc.data.response_id",
        "source": "'openai'",
        "kind": "doc.type",
        "verdict": "CASE WHEN doc.type = 'safety_identifier.blocked' THEN 'enforced' ELSE 'noticed' END",
        "category": "coalesce(doc.data.safety_category, doc.data.error_type)",
        "reason": "doc.data.reason",
    },
)

_CASE = Source(
    name="openai-cases",
    title="OpenAI safety cases",
    versions="SDK 3.54",
    told_by=((has("object", "safety.case"), has("entity_identifier")), (has("data.object", "safety.case"),)),
    structure={
        "id": TEXT,
        "created_at": TEXT,
        "entity_identifier": TEXT,
        "reason": TEXT,
        "notice": {"type": TEXT},
    },
    is_request="doc.entity_identifier IS NOT NULL",
    columns={
        "notice_id": "doc.id",
        "said_at": "doc.created_at",
        "subject": "doc.entity_identifier",
        "level": "'user'",
        "source": "'openai'",
        "kind": "concat('safety.case.', coalesce(doc.notice.type, 'opened'))",
        "verdict": "CASE WHEN doc.notice.type = 'deactivation' THEN 'enforced' ELSE 'noticed' END",
        "category": "doc.reason",
    },
)

_ACTION = "list_filter(doc.enforcement_actions, lambda a: a.type IS NOT NULL)[1]"
_PROFILE = Source(
    name="anthropic-profiles",
    title="Anthropic user profiles",
    versions="SDK 2.12",
    told_by=((has("enforcement_status"), has("access_type")), (has("enforcement_status"), has("id"))),
    structure={
        "id": TEXT,
        "created_at": TEXT,
        "updated_at": TEXT,
        "enforcement_status": TEXT,
        "enforcement_actions": [{"id": TEXT, "type": TEXT, "reason": TEXT, "opened_at": TEXT}],
        "external_user_details": {"reference_id": TEXT},
    },
    steps=({"action": _ACTION},),
    is_request="doc.enforcement_status IN ('pending', 'restricted', 'banned')",
    columns={
        "notice_id": "concat_ws('/', doc.id, doc.enforcement_status, action.id)",
        "said_at": "coalesce(action.opened_at, doc.updated_at, doc.created_at)",
        "subject": "coalesce(doc.external_user_details.reference_id, doc.id)",
        "level": "'user'",
        "source": "'anthropic'",
        "kind": "concat('user_profile.', doc.enforcement_status)",
        "verdict": "CASE WHEN doc.enforcement_status = 'pending' THEN 'noticed' ELSE 'enforced' END",
        "category": "action.reason",
    },
)

_WORDS = {
    "enforced": "approve approved ban banned block blocked suspend suspended limit limited restrict "
    "restricted deactivated terminated enforced harvesting confirmed",
    "cleared": "dismiss dismissed clear cleared benign legitimate false_positive unban unbanned reinstated",
    "noticed": "watch watched warn warned verify verified review suspected noticed",
}
"""A decision in people's words, to what it comes to."""

_VERDICT = " ".join(
    f"WHEN word IN ({', '.join(repr(word) for word in words.split())}) THEN '{verdict}'"
    for verdict, words in _WORDS.items()
)
_DECISION = Source(
    name="decisions",
    title="Past decisions: account_id, decision, decided_at, reason, by",
    versions="docs/how-to/labels.md",
    told_by=((has("account_id"), has("decision")),),
    structure=dict.fromkeys(
        ("account_id", "decision", "decided_at", "date", "reason", "category", "by"), TEXT
    ),
    is_request="doc.account_id IS NOT NULL OR doc.decision IS NOT NULL",
    steps=({"word": "replace(replace(lower(trim(doc.decision)), ' ', '_'), '-', '_')"},),
    columns={
        "notice_id": "concat('own/', md5(concat_ws(chr(31), doc.account_id, word, "
        "coalesce(doc.decided_at, doc.date), coalesce(doc.reason, ''))))",
        "said_at": "coalesce(doc.decided_at, doc.date)",
        "subject": "doc.account_id",
        "level": "'account'",
        "source": "'own'",
        "kind": "concat('decision.', word)",
        "verdict": f"CASE {_VERDICT} ELSE '{_UNKNOWN}' END",
        "category": "doc.category",
        "reason": "doc.reason",
        "said_by": "doc.by",
    },
)

_NOTICES: Sequence[Source] = (_WEBHOOK, _CASE, _PROFILE)
FORMATS: Sequence[Source] = (*_NOTICES, _DECISION)


@dataclass(frozen=True, slots=True)
class Notices:
    """What a file says."""

    format: str
    rows: pa.Table
    """columns of NOTICE_SCHEMA"""
    refused: pa.Table
    """columns of REFUSED_SCHEMA, one row a refused row"""
    n_passed_over: int
    """Records that say nothing about anybody, for example profiles without restriction."""


def read_notices(path: Path) -> Notices:
    """The notices or decisions in a file.

    A file may hold several forms, as what a provider sends is written down as it comes: each form takes its
    own records, so that none has to be among the first.

    Raises
    ------
    UnreadableInput : the file cannot be read, or is in none of the formats.
    """
    container = look(path)
    if container.kind is Kind.EMPTY:
        return Notices("empty", NOTICE_SCHEMA.empty_table(), REFUSED_SCHEMA.empty_table(), 0)
    seen = [source for source in FORMATS if recognises(source, container.sample)]
    if not seen:
        known = names_known_to(FORMATS)
        raise UnreadableInput(
            f"{path}: neither notices nor decisions; its fields are {fields_seen(container, known)}",
            remedy="docs/how-to/labels.md shows the forms that are read",
        )
    forms = [one for one in FORMATS if one in seen or (one in _NOTICES and seen != [_DECISION])]
    rows, refused, n_records, n_taken = [], [], 0, 0
    for source in forms:
        with _reader(path, container, source) as reader:
            rows.append(pa.Table.from_batches(reader.batches(), reader.schema))
            refused.append(reader.refused)
            n_records = reader.n_rows
            n_taken += reader.n_rows - reader.n_passed_over - _n_malformed(reader.refused)
    said = pa.concat_tables(rows).sort_by("row_number")
    is_known = pc.not_equal(said["verdict"], _UNKNOWN)
    unknown = said.filter(pc.invert(is_known))
    faults = [
        refused[0],
        *(_of_records(one) for one in refused[1:]),
        _of_no_known_word(unknown["row_number"]),
    ]
    return Notices(
        seen[0].name,
        said.filter(is_known).drop_columns(["row_number"]),
        pa.concat_tables(faults).sort_by("row_number"),
        n_records - _n_malformed(refused[0]) - n_taken,
    )


def _reader(path: Path, container: Container, source: Source) -> TableReader:
    return TableReader(
        path,
        container,
        target=_TARGET,
        fields=source.fields,
        select=lambda _: source.columns,
        batch_rows=_BATCH_ROWS,
        threads=1,
        source=source,
    )


def _of_records(refused: pa.Table) -> pa.Table:
    """What was refused of records; a line that holds none is refused alike by every form."""
    return refused.filter(pc.is_valid(refused["column_name"]))


def _n_malformed(refused: pa.Table) -> int:
    return int(refused["column_name"].null_count)


def _of_no_known_word(row_numbers: pa.ChunkedArray) -> pa.Table:
    n_rows = len(row_numbers)
    words = ", ".join(word for words in _WORDS.values() for word in words.split())
    return pa.table(
        {
            "row_number": row_numbers,
            "column_name": pa.array(["decision"] * n_rows, pa.string()),
            "reason": pa.array([_UNKNOWN] * n_rows, pa.string()),
            "remedy": pa.array([f"write one of {words}"] * n_rows, pa.string()),
        },
        REFUSED_SCHEMA,
    )
