"""What is still found when the same world is logged in each format: measured, for docs/sources.md.

    python tools/measure_formats.py [FORMAT ...]

The world of format_findings.toml (tune split) is written in every format that has a writer, and as a content
log joined with an edge log; each is scanned into a workspace of its own and scored against the labels. Writes
format_findings.json beside this file, which make_sources_page.py reads. Takes about ten minutes; formats that
are named are measured anew, the others stay as they are.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines import findings, nightly  # noqa: E402
from pipelines.adapters.sources import WRITINGS  # noqa: E402
from pipelines.evaluation import evaluate  # noqa: E402
from pipelines.settings import InputSettings, JoinSettings, Settings  # noqa: E402
from pipelines.simulate import simulate  # noqa: E402
from pipelines.workspace import Workspace  # noqa: E402

HERE = Path(__file__).resolve().parent
SCENARIO = HERE / "format_findings.toml"
FIGURES = HERE / "format_findings.json"

OWN = "stillwatch"
SEPARATOR = " and "

KEY = "0" * 64
"""The same hashes of texts in every workspace: with keys of their own, what is barely found or barely not
would change with the key, and pass for a difference between formats."""

JOINED = (("bedrock-converse", "cloudtrail"),)


def main() -> None:
    asked = set(sys.argv[1:])
    known = {one["logged_as"]: one for one in json.loads(FIGURES.read_text())} if FIGURES.is_file() else {}
    figures = []
    for logged_as in [(OWN,), *((name,) for name in WRITINGS), *JOINED]:
        if asked and asked.isdisjoint(logged_as) and SEPARATOR.join(logged_as) in known:
            figures.append(known[SEPARATOR.join(logged_as)])
            continue
        with tempfile.TemporaryDirectory() as place:
            figures.append(measured(logged_as, Path(place)))
        print(json.dumps(figures[-1]), flush=True)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def measured(logged_as: tuple[str, ...], place: Path) -> dict[str, Any]:
    """The findings of the world, logged in these formats at once."""
    for name in logged_as:
        simulate(place / name, scenario=SCENARIO, split="tune", log_format=name)
    world = place / logged_as[0]
    workspace = Workspace(place / "watch").create()
    workspace.key_file.write_text(KEY)
    nightly.scan(
        [str(place / name / "logs") for name in logged_as],
        workspace,
        accounts=world / "accounts.parquet",
        settings=Settings(input=InputSettings(join=joins(logged_as))),
    )
    scored = evaluate(workspace, world / "labels.parquet")
    campaigns = scored.campaigns
    found = campaigns.filter("detected")
    return {
        "logged_as": SEPARATOR.join(logged_as),
        "n_campaigns": campaigns.height,
        "found": found["campaign"].to_list(),
        "n_accounts": int(campaigns["n_accounts"].sum()),
        "n_accounts_found": int(found["n_matched"].sum()),
        "n_benign": int(scored.total["n_benign_accounts"][0]),
        "n_falsely_flagged": int(scored.total["at_watch"][0] or 0) + int(scored.total["above_watch"][0] or 0),
        "confidence": sorted(findings.campaigns(workspace)["confidence"].to_list()),
    }


def joins(logged_as: tuple[str, ...]) -> tuple[JoinSettings, ...]:
    """The join of a content log with the edge log after it; none for one log alone."""
    if len(logged_as) == 1:
        return ()
    content, edge = (WRITINGS[name][0].name for name in logged_as)
    return (JoinSettings(content=content, edge=edge),)


if __name__ == "__main__":
    main()
