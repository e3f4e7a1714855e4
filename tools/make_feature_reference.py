"""Make docs/reference/features.md from the lists in detector.features.

Run it after changing a feature: `python tools/make_feature_reference.py`. tests/detector/features compares.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from detector import features as f  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "features.md"

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
"""

FOOT = """\
## How accounts are scored

Accounts are compared within peer groups by kind of use (`detector/models/peers.py`): `quiet` (fewer than
20 requests: scored by past and identity alone), `agent` (offers tools), `application` (one system prompt
or around the clock, single questions), `batch` (hundreds of single questions within eight hours),
`person` (the rest). A group of fewer than 50 is compared with `everyone`.

Two models of PyOD read the same one-sided matrix: ECOD (how rare is each value) and an isolation forest
(how rare is the combination). Their mean, on a scale where the peers' median is 0 and their 99th
percentile is 1, becomes the score: 0.5 is the 99th percentile. Reasons are the features rarer than one
peer in twenty, the rarest four.

The p-value is the share of ordinary accounts that score at least as high: accounts of the last 28 nights
that were never flagged, one night each, scored together with tonight's (a conformal p-value). With fewer
than 200 of them in the peer group it is the plain rank among tonight's accounts, which is stricter: a
campaign cannot rank itself below its own size. A single account's score is supporting evidence; no
campaign is flagged by it alone.

## Accounts flagged alone

`detector/models/lone.py` holds two strict rules, for one big extractor without partners and for a relay
of many writers. Each needs several independent families of evidence, recommends `watch`, and `verify`
only when all agree. A valid approved use rules an account out. Without prompts no account is flagged
alone.
"""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    families = [_section(name, features) for name, features in f.FAMILIES.items()]
    return "\n".join([HEAD, *families, FOOT])


def _section(name: str, features: Sequence[f.Feature]) -> str:
    lines = [
        f"## {name.capitalize()}",
        "",
        "| column | meaning | unit | range | null when | suspicious |",
        "|---|---|---|---|---|---|",
        *(
            f"| `{x.name}` | {x.meaning} | {x.unit} | {x.span} | {x.absent} | {x.suspicious or ''} |"
            for x in features
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
