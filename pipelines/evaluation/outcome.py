"""The outcome of an evaluation: its frames, and their form for machines.

Here: what rows there are, and JSON Lines. Not here: how they come about (judging), how they look to people
(tables, page).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from pipelines.evaluation import tables
from pipelines.rows import json_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How findings compare with labels; docs/reference/evaluation.md names every column.

    Attributes
    ----------
    campaigns : one row per labelled campaign that came, by name
    recall : campaign recall overall and by regime, kind and evasion, where labels tell them
    delays : two rows: quantiles of the nights and exchanges to detection
    re_emergence : one row per campaign with accounts that joined after it was found
    benign_kinds, benign_generators, benign_countries, benign_languages, benign_scripts : whom it wronged
    findings : one row per finding: stated p-value, and whether it is true
    nights : one row per scanned night: how steady the findings are
    against : one row per night that two workspaces share; none without `--against`
    total : one row
    """

    campaigns: pl.DataFrame
    recall: pl.DataFrame
    delays: pl.DataFrame
    re_emergence: pl.DataFrame
    benign_kinds: pl.DataFrame
    benign_generators: pl.DataFrame
    benign_countries: pl.DataFrame
    benign_languages: pl.DataFrame
    benign_scripts: pl.DataFrame
    findings: pl.DataFrame
    nights: pl.DataFrame
    against: pl.DataFrame
    total: pl.DataFrame

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row of every frame; `row` says of which."""
        for field in fields(self):
            for row in getattr(self, field.name).iter_rows(named=True):
                yield {"row": ROWS[field.name], **row}

    def jsonl(self) -> list[str]:
        """JSON Lines without line feeds."""
        return [line.rstrip("\n") for line in json_lines(self.rows())]

    def table(self) -> str:
        """The same for people, in short."""
        return tables.as_text(self)


ROWS = {
    "campaigns": "campaign",
    "recall": "recall",
    "delays": "delay",
    "re_emergence": "re_emergence",
    "benign_kinds": "benign_kind",
    "benign_generators": "benign_generator",
    "benign_countries": "benign_country",
    "benign_languages": "benign_language",
    "benign_scripts": "benign_script",
    "findings": "finding",
    "nights": "night",
    "against": "against",
    "total": "total",
}
"""Frame of `Evaluation` to the value of `row` in JSON Lines."""
