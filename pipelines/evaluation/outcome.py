"""The outcome of an evaluation: its frames, and their form for machines.

Here: what rows there are, and JSON Lines. Not here: how they come about (judging, seeds), how they look to
people (world_tables, pool_tables, page).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import polars as pl

from pipelines.evaluation.pool_tables import tables_of_pool
from pipelines.evaluation.tables import Table, as_text
from pipelines.evaluation.world_tables import tables_of_world
from pipelines.rows import json_lines

ROWS = {
    "campaigns": "campaign",
    "recall": "recall",
    "coverage": "coverage",
    "delays": "delay",
    "re_emergence": "re_emergence",
    "benign_kinds": "benign_kind",
    "benign_generators": "benign_generator",
    "benign_countries": "benign_country",
    "benign_languages": "benign_language",
    "benign_scripts": "benign_script",
    "findings": "finding",
    "discoveries": "discovery",
    "calibration": "calibration",
    "nights": "night",
    "against": "against",
    "figures": "figure",
    "total": "total",
}
"""Frame of an outcome to the value of `row` in JSON Lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(ABC):
    """Frames of figures; docs/reference/evaluation.md names every column.

    Attributes
    ----------
    recall : campaign recall overall and by regime, kind and evasion, where labels tell them
    delays : two rows: quantiles of the nights and exchanges to detection
    benign_kinds, benign_generators, benign_countries, benign_languages, benign_scripts : whom it wronged
    total : one row
    """

    recall: pl.DataFrame
    delays: pl.DataFrame
    benign_kinds: pl.DataFrame
    benign_generators: pl.DataFrame
    benign_countries: pl.DataFrame
    benign_languages: pl.DataFrame
    benign_scripts: pl.DataFrame
    total: pl.DataFrame

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every row of every frame, in the order of ROWS; `row` says of which."""
        held = {field.name for field in fields(self)}
        for name, row_name in ROWS.items():
            if name in held:
                for row in getattr(self, name).iter_rows(named=True):
                    yield {"row": row_name, **row}

    def jsonl(self) -> list[str]:
        """JSON Lines without line feeds."""
        return [line.rstrip("\n") for line in json_lines(self.rows())]

    @abstractmethod
    def tables(self, *, full: bool = False) -> Iterator[Table]:
        """The same in words; in short unless `full`."""

    def table(self) -> str:
        """The same for a terminal, in short."""
        return as_text(self.tables())


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation(Outcome):
    """How the findings of one world compare with its labels.

    Attributes
    ----------
    campaigns : one row per labelled campaign that came, by name
    re_emergence : one row per campaign with accounts that joined after it was found
    findings : one row per finding: stated p-value, and whether it is true
    nights : one row per scanned night: how steady the findings are
    against : one row per night that two workspaces share; none without a second one
    """

    campaigns: pl.DataFrame
    re_emergence: pl.DataFrame
    findings: pl.DataFrame
    nights: pl.DataFrame
    against: pl.DataFrame

    def tables(self, *, full: bool = False) -> Iterator[Table]:
        """Campaigns, recall, whom it wronged, accounts, and the last lines."""
        return tables_of_world(self, full=full)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled(Outcome):
    """How the findings of many worlds compare with their labels.

    Attributes
    ----------
    campaigns : one row per campaign that came, by world (from 1) and name
    coverage : quantiles of coverage, coverage at first, share of exchanges and purity over campaigns
    re_emergence : one row: accounts that joined after their campaign was found
    discoveries : the realised false-discovery proportion against the stated rate, by sort of finding
    calibration : the share of true findings by the score they were reported with
    figures : each world's headline figures: mean, least and most over worlds
    """

    campaigns: pl.DataFrame
    coverage: pl.DataFrame
    re_emergence: pl.DataFrame
    discoveries: pl.DataFrame
    calibration: pl.DataFrame
    figures: pl.DataFrame

    def tables(self, *, full: bool = False) -> Iterator[Table]:
        """Recall, coverage, whom it wronged, false discoveries, and the last lines."""
        return tables_of_pool(self, full=full)
