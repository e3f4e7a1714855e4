"""What each log format carries, what it lacks and what detection loses by that: for people.

Here: the rows behind `stillwatch sources` and docs/sources.md, and what logs that were read did not have. Not
here: the formats (`sources`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from pipelines.adapters.adapter import Adapter
from pipelines.adapters.source import LEVEL_COLUMN, Source
from pipelines.adapters.sources import SOURCES
from pipelines.adapters.stillwatch import STILLWATCH
from pipelines.record import REQUEST_SCHEMA

GROUPS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "identity": ("account_id", "org_id", "project_id", "api_key_id", "end_user_id", "session_id"),
        "network": ("ip", "country", "asn", "user_agent", "client_fingerprint"),
        "prompt": ("prompt", "n_turns", "n_images"),
        "system": ("system_prompt",),
        "tools": ("tool_names",),
        "sampling": ("temperature", "top_p", "max_tokens", "n_choices", "response_format", "thinking"),
        "logits": ("top_logprobs", "n_logit_bias"),
        "tokens": ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"),
        "outcome": ("status", "stop_reason", "refusal_category", "response"),
        "latency": ("latency_ms",),
    }
)
"""Canonical columns as a person thinks of them."""

LOSS: Mapping[str, str] = MappingProxyType(
    {
        "identity": "links through organisation, project, key and end user",
        "network": "links through addresses, networks and clients",
        "prompt": "everything about content: templates, capability, technique, work queues",
        "system": "links through shared system prompts",
        "tools": "agentic harvesting, links through shared tool sets",
        "sampling": "constancy of parameters, many samples of one prompt",
        "logits": "soft labels and logit extraction",
        "tokens": "output economy and exchanged volume",
        "outcome": "fail-over after limits and bans, refusals",
        "latency": "pace of generation",
    }
)
"""What detection does without when a log has nothing of a group."""


@dataclass(frozen=True, slots=True)
class Row:
    """One format."""

    name: str
    title: str
    versions: str
    carries: tuple[str, ...]
    """Groups of which it has at least one column."""
    columns: tuple[str, ...]
    """Canonical columns it can fill, in the record's order."""
    loses: Mapping[str, str]
    """What it does not carry, to what detection loses."""
    account: tuple[str, ...]
    """Identity levels that stand for the account, the first present one wins."""
    writes: tuple[str, ...]
    """What `simulate --log-format` calls it."""


def overview(formats: Mapping[str, Source | Adapter] = SOURCES) -> tuple[Row, ...]:
    """Every format: those of mapping files, our own record, the others by name."""
    own_formats = [one for one in formats.values() if isinstance(one, Source) and one.declared_in]
    own = Row(
        name=STILLWATCH.name,
        title="Stillwatch's own record: Parquet, JSON Lines, CSV",
        versions="this one",
        carries=tuple(GROUPS),
        columns=tuple(REQUEST_SCHEMA.names),
        loses={},
        account=("account",),
        writes=("stillwatch", "jsonl", "jsonl.gz", "csv"),
    )
    return (*map(_row, own_formats), own, *(_row(SOURCES[name]) for name in sorted(SOURCES)))


_BESIDE: Sequence[tuple[Sequence[str], Sequence[str]]] = (
    (("prompt", "system", "tools"), ("prompt", "system", "tools", "sampling", "logits")),
    (("sampling", "logits"), ("sampling", "logits")),
)
"""Groups that show that a log keeps bodies, or calls' parameters, and those that lie in them: where there is
a body, a request that has no tools in it has not named any."""


def unseen(
    seen: Mapping[str, Collection[str]], formats: Mapping[str, Source | Adapter] = SOURCES
) -> Mapping[str, Mapping[str, str]]:
    """Of these formats those whose logs lack whole groups of columns, sorted: group to what detection loses.

    What a log may leave out (bodies, statistics) is lost where no row had it, whatever its format can carry.

    Parameters
    ----------
    seen : a format's name to the canonical columns that some row of its logs had something in, edges' among
        them
    """
    found = {}
    for name in sorted(seen):
        source = formats.get(name)
        if isinstance(source, Source):
            found[name] = _missing(_could_be_seen(seen[name], source))
    return {name: missing for name, missing in found.items() if missing}


def seen_in(batch: pa.RecordBatch) -> frozenset[str]:
    """The columns of a batch of requests that some row has something in."""
    names = batch.schema.names
    return frozenset(name for name in names if batch.column(name).null_count < batch.num_rows)


def _could_be_seen(columns: Collection[str], source: Source) -> set[str]:
    """The columns that were filled, and those that would have been had a request had anything for them."""
    found = set(columns)
    for told_by, inside in _BESIDE:
        if not found.isdisjoint(_columns_of(told_by)):
            found |= _columns_of(inside).intersection(source.columns)
    return found


def _columns_of(groups: Iterable[str]) -> set[str]:
    return {column for group in groups for column in GROUPS[group]}


def _missing(columns: Iterable[str]) -> Mapping[str, str]:
    has = {*columns, "account_id"}
    return {group: LOSS[group] for group, columns in GROUPS.items() if not has.intersection(columns)}


def _row(source: Source) -> Row:
    has = {*source.columns, "account_id"}
    missing = _missing(source.columns)
    carried = tuple(group for group in GROUPS if group not in missing)
    return Row(
        name=source.name,
        title=source.title,
        versions=source.versions,
        carries=carried,
        columns=tuple(name for name in REQUEST_SCHEMA.names if name in has),
        loses={**missing, **source.lacks},
        account=tuple(level for level in source.account if LEVEL_COLUMN[level] in source.columns),
        writes=tuple(source.writings),
    )
