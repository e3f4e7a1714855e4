"""Make docs/sources.md from the log formats themselves.

Run it after adding or changing one: `python tools/make_sources_page.py`. tests/test_documents.py compares.
What is found in each format comes from measure_formats.py.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines.adapters.overview import GROUPS, LOSS, Row, overview  # noqa: E402
from pipelines.adapters.sources import WRITINGS  # noqa: E402

PAGE = ROOT / "docs" / "sources.md"
FIGURES = ROOT / "tools" / "format_findings.json"

HEAD = """\
# Log sources

<!-- Made by tools/make_sources_page.py from pipelines/adapters/sources. -->

Point Stillwatch at the logs you have:

```sh
stillwatch sources
stillwatch check logs/day=2025-06-01
```

The format of each file is told by its first records, so a folder may mix formats; `--format NAME` overrules
that. A file of no known format is named with the fields that were seen in it; a [mapping
file](how-to/own-format.md) declares one of your own. Each record may lie in JSON
Lines, in a JSON array or pretty-printed, in CSV or in Parquet, compressed or not: [what holds for every
file](reference/input.md).

**Bodies** of OpenAI Chat Completions, OpenAI Responses and Anthropic Messages are read alike in every format
that carries them, as objects or as JSON texts; streamed answers as chunks, as server-sent events or folded.
A body may differ in shape from record to record. Converse and Gemini bodies are read where Bedrock and
Vertex AI log them.

**Logs without bodies** (access logs, payloads switched off) are scanned as well. Content is then absent,
never zero, and `check` and `scan` name what was not looked for.

**Two logs of the same calls**, one with bodies and one with addresses, become one record of each call:
[joins](how-to/joins.md). Without being joined, a call that two formats tell of counts once
([why](decisions/0025-a-call-that-two-systems-logged-counts-once.md)).

**Which identity is the account** is a setting, for a log often knows several:

```toml
[input]
account = ["end_user", "key"]
```

makes the end user the account and, where a record names none, the key. What was the account otherwise
becomes the organisation where there is none; all other levels stay and tie accounts together. Without the
setting each format's own order counts, below.

**What is not read.** Records that are no requests (health checks, spans of tools) are passed over and
counted. Fields that a format does not know are named by `check` and `scan`: the log may be of another
version, and is read as far as it can be. Attributes of OpenTelemetry are not named: they are pairs of a key
and a value, and any program adds its own. A value in a request body, which a client chose, never gets its row
refused; it counts as absent where it cannot be read. Of keys in headers only a hash is kept.

**One object a request**, as logging callbacks write to S3, GCS or Azure Blob: sync the day's prefix to a
folder and name the folder. Small files are read many at a time, and each is still counted and refused by
itself.

**LiteLLM's database** is named like a log; a scan fetches the table `LiteLLM_SpendLogs` itself:

```text
stillwatch scan postgresql://reader@db.internal/litellm --day 2026-11-02 --workspace watch
```

`stillwatch check` reads it the same way, into files that go when it is done; a row's number is its place
among the day's rows by `startTime` and `request_id`.

It takes `pip install 'stillwatch[postgres]'` and a user who may read that table; leave the password to
`~/.pgpass` or `PGPASSWORD`. With `--day` only that day's rows leave the database, without it every day that
has some. They become files under `fetched` in the workspace, readable by its owner alone, which hold prompts
where the proxy stores them: delete them when your rules for prompts say so; findings stay, shown texts go.
A row that LiteLLM writes late arrives when its day is fetched again.

"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    rows = overview()
    sections = "".join(_section(row) for row in rows if row.name != "stillwatch")
    return HEAD + _table(rows) + _losses() + _findings() + sections


def _table(rows: tuple[Row, ...]) -> str:
    head = f"| format | {' | '.join(GROUPS)} |\n|---|{'---|' * len(GROUPS)}\n"
    lines = [
        f"| `{row.name}` | {' | '.join('yes' if group in row.carries else '' for group in GROUPS)} |\n"
        for row in rows
    ]
    return "## Who carries what\n\n" + head + "".join(lines) + "\n"


def _losses() -> str:
    lines = [f"| {group} | {', '.join(GROUPS[group])} | {LOSS[group]} |\n" for group in GROUPS]
    return "| group | columns | without them detection loses |\n|---|---|---|\n" + "".join(lines) + "\n"


FINDINGS_HEAD = """\
## What is still found

The same small world, written in every format that `simulate` writes, scanned and scored against its labels:
{n_campaigns} campaigns with {n_accounts} accounts, {n_benign} others, three nights ([the
world](../tools/format_findings.toml)). Figures about one simulated world compare formats with each other;
[Quality](quality.md) has the ones about detection. Where prompts are known they must speak for a campaign as
well; where none is, the size of requests stands in for them
([how](decisions/0088-a-size-stands-in-for-a-text.md)), so that logs without prompts may find what the others
do not, and the other way round. Measured by:

```text
python tools/measure_formats.py
```

| written as | campaigns found | accounts in them | falsely flagged | confidence | without |
|---|---|---|---|---|---|
"""


def _findings() -> str:
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    head = FINDINGS_HEAD.format(**figures[0])
    rows = "".join(_findings_row(one, figures[0]) for one in figures)
    measured = {one["logged_as"] for one in figures}
    unmeasured = [name for name in WRITINGS if name not in measured]
    return head + rows + "".join(f"| `{name}` | not measured yet | | | | |\n" for name in unmeasured) + "\n"


def _findings_row(one: dict[str, Any], whole: dict[str, Any]) -> str:
    """`whole` is the world as it is: in a log that knows no accounts, labels are about nobody."""
    found = f"{len(one['found'])} of {whole['n_campaigns']}"
    if one["found"]:
        found += f": {', '.join(one['found'])}"
    names = one["logged_as"].split(" and ")
    written = f"`{names[0]}`" + (f", joined with `{names[1]}`" if names[1:] else "")
    cells = [
        written,
        found,
        f"{one['n_accounts_found']} of {whole['n_accounts']}",
        str(one["n_falsely_flagged"]),
        ", ".join(one["confidence"]) or "-",
        ", ".join(_lost(names)) or "-",
    ]
    return f"| {' | '.join(cells)} |\n"


TOLD_ROUGHLY = ("tokens", "outcome", "latency")
"""Groups that a format may carry in rounded or coarser values than ours: what its reader fills counts."""


def _lost(names: list[str]) -> list[str]:
    """Groups of columns of which none comes through these forms."""
    if names == ["stillwatch"]:
        return []
    carried: set[str] = set()
    roughly: set[str] = set()
    for name in names:
        source, writing = WRITINGS[name]
        carried |= writing.carries
        roughly |= set(source.columns)
    return [
        group
        for group, columns in GROUPS.items()
        if carried.isdisjoint(columns) and (group not in TOLD_ROUGHLY or roughly.isdisjoint(columns))
    ]


def _section(row: Row) -> str:
    losses = "".join(f"- {what}: {loss}\n" for what, loss in row.loses.items())
    return (
        f"## {row.name}\n\n{row.title}. Known: {row.versions}.\n\n"
        f"- Account: {', else '.join(row.account)}.\n"
        f"- Columns: {', '.join(row.columns)}.\n"
        f"- Rehearse with `simulate --log-format`: {', '.join(row.writes) or 'not yet'}.\n\n"
        + (f"What it lacks:\n\n{losses}\n" if losses else "")
    )


if __name__ == "__main__":
    main()
