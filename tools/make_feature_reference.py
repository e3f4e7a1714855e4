"""Make docs/features.md from the lists and docstrings in detector.features and from feature_queries.sql.

Run it after changing a feature: `python tools/make_feature_reference.py`. tests/detector/features compares.
"""

import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from detector import features as f  # noqa: E402

PAGE = ROOT / "docs" / "features.md"
QUERIES = ROOT / "tools" / "feature_queries.sql"

HEAD = """\
# Account features

<!-- Made by tools/make_feature_reference.py from detector/features/. -->

What one account did on one UTC day: the columns of `night.account_day`, which the account models and the
campaign tests read. One module a family in `detector/features/`; sums and joins are in
`pipelines/warehouse/sql/account_day*.sql`.

- **What counts.** Requests with `attempt` above 1 are retries and count as such, not as volume. An
  account that shows nothing but retries is counted by them: otherwise one header would make it
  invisible. Volumes are divided by `sample_rate`.
- **Null is unknown, never 0.** A share divides by the rows that say anything about it. Without prompts
  every feature of content is null, and what timing, volume, parameters, identity and lifecycle show
  remains.
- **Suspicious.** Only this direction can raise an account's score, and only beyond the median of its
  peers: a quiet account is not suspicious. A feature without a direction is evidence for people and for
  the campaign tests; it does not enter the account models.
- **History** is of the nights that were scanned into this workspace.
- **Kept and grown.** Rows stay when request rows are forgotten. A newer version adds columns; they are null
  on nights that were scanned before.

## Needs

Every column says what it needs beyond the night's own records; without it, it is null.

| need | without it |
|---|---|
| prompts | null on a log of metadata only, like everything that reads texts |
| templates | the same; also null for an account that uses no template others share |
| past | null on the first night; some ask for more than one earlier night, see "null when" |
| models | null on the first two nights: nobody knows yet which models are new |
| peers, plan | null until 50 accounts of the kind of use, or on the plan, sent something that night |
| accounts file | null for accounts that are not in it |
| nothing | known from the first night on, also without prompts, as far as the log tells |
"""

SCORES = """\
## How accounts are scored

Accounts are compared within peer groups by kind of use (`detector/models/peers.py`): `quiet` (fewer than
20 requests: scored by past and identity alone), `agent` (offers tools), `application` (one system prompt
or around the clock, single questions), `batch` (hundreds of single questions within eight hours),
`person` (the rest). A group of fewer than 50 is compared with `everyone`.

Two models of PyOD read the same one-sided matrix: ECOD (how rare is each value) and an isolation forest
(how rare is the combination), [chosen by measurement](reference/account-models.md). Each score is read as
surprise: the negative logarithm of the share of peers that score at least as high, which compares across
peer groups. The mean of the two becomes the score: 0.5 is about one in a hundred. Reasons are the features
rarer than one peer in twenty, the rarest four.

The p-value is the share of ordinary accounts that score at least as high: accounts of the last 28 nights
that were never flagged, one night each, scored together with tonight's (a conformal p-value). With fewer
than 200 of them in the peer group it is the plain rank among tonight's accounts, which is stricter: a
campaign cannot rank itself below its own size. A single account's score is supporting evidence; no
campaign is flagged by it alone.

## Accounts flagged alone

Busy accounts are also judged by themselves: for a lone extractor, whose evidence is pooled over independent
families and compared with earlier nights, and for a relay, which adds one text to the requests of many
products. [Policy](reference/policy.md#accounts-alone) has the rules; `night.lone_account` keeps what was
measured of everybody judged. Without prompts no account is flagged alone.
"""


QUERIES_HEAD = """\
## Queries to start from

Open the workspace's `warehouse.duckdb` read-only, in DuckDB's shell or from Python
(`duckdb.connect("watch/warehouse.duckdb", read_only=True)`), while no scan runs: a scan keeps it to itself,
and does not start while somebody holds it open. To ask at any time, keep a night as a file (the last query).
Put your own day and account in.
"""

SOURCES_HEAD = """\
## Sources

Vendors' figures are their own telemetry, which nobody outside can check, and parts of the reports are known
to us through quotations. A source says why a feature was made, not how well it tells; for that see
[Quality](quality.md).
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    families = [_section(name, features) for name, features in f.FAMILIES.items()]
    return "\n".join([HEAD, *families, _queries_section(), SCORES, _sources_section()])


def queries() -> Iterator[tuple[str, str]]:
    """What each ready query answers, and its SQL."""
    for block in QUERIES.read_text(encoding="utf-8").strip().split("\n\n"):
        title, _, sql = block.partition("\n")
        yield title.removeprefix("-- "), sql


def _section(name: str, features: Sequence[f.Feature]) -> str:
    module = importlib.import_module(f"detector.features.{name.replace('-', '_')}")
    lines = [
        f"## {name.capitalize()}",
        "",
        str(module.__doc__).split("\n", 1)[0],
        "",
        "| column | meaning | unit | range | null when | needs | suspicious |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| `{x.name}` | {x.meaning} | {x.unit} | {x.span} | {x.absent} | {', '.join(x.needs)} "
            f"| {x.suspicious or ''} |"
            for x in features
        ),
        "",
        "Why, and whence:",
        "",
        *(f"- `{x.name}`: {x.why}. *{x.source}*" for x in features),
        "",
    ]
    return "\n".join(lines)


def _queries_section() -> str:
    blocks = [f"{title}:\n\n```sql\n{sql}\n```\n" for title, sql in queries()]
    return "\n".join([QUERIES_HEAD, *blocks])


def _sources_section() -> str:
    lines = [f"- **{name}**: {reference}" for name, reference in f.SOURCES.items()]
    return "\n".join([SOURCES_HEAD, *lines, ""])


if __name__ == "__main__":
    main()
