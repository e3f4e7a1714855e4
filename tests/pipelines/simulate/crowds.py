"""One kind at a time: a small crowd of a generator, made night by night without a world around it."""

from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate.group import NEVER, Group, Night, World
from pipelines.simulate.kinds import BENIGN
from pipelines.simulate.texts import OwnTexts
from pipelines.simulate.traffic import finish

FIRST_DAY = date(2026, 3, 2)
MIDNIGHT_US = 1_772_409_600_000_000
DAY_US = 86_400_000_000

FEW = 14
"""Accounts where only the form of the rows matters."""

EVERYBODY = [(kind, generator) for kind, generators in BENIGN.items() for generator in generators]


@cache
def a_world(n_days: int, release_day: int) -> World:
    return World(seed=5, first_day=FIRST_DAY, n_days=n_days, release_day=release_day, texts=OwnTexts())


def a_group(kind: str, generator: str, n: int, n_days: int = 7, release_day: int = 3) -> tuple[World, Group]:
    world = a_world(n_days, release_day)
    return world, BENIGN[kind][generator](world, n, world.rng("benign", f"{kind}/{generator}"))


def one_night(world: World, group: Group, name: str, number: int) -> pa.Table:
    """The rows of one night, as the world makes them."""
    rng = world.rng(name, "night", number)
    midnight_us = MIDNIGHT_US + number * DAY_US
    tables = [
        finish(traffic, group.crowd, number, midnight_us, rng)
        for traffic in group.day(Night(number, rng, np.full(len(group.crowd), NEVER)))
        if len(traffic.arrivals) > 0
    ]
    return pa.concat_tables(tables) if tables else REQUEST_SCHEMA.empty_table()


@dataclass(frozen=True, slots=True)
class Played:
    """What a crowd did, and its rows of the accounts file."""

    rows: pl.DataFrame
    """Canonical rows with `night` (0-based) and `hour` (UTC), in order of account and time."""
    accounts: pl.DataFrame

    def per_account(self) -> pl.Series:
        """Requests of each account that sent any."""
        return self.rows.group_by("account_id").len().get_column("len")


@cache
def played(kind: str, generator: str, n: int, n_days: int = 7, release_day: int = 3) -> Played:
    """All nights of a crowd."""
    world, group = a_group(kind, generator, n, n_days, release_day)
    nights = [one_night(world, group, generator, number) for number in range(n_days)]
    rows = pl.from_arrow(pa.concat_tables(nights))
    assert isinstance(rows, pl.DataFrame)
    accounts = pl.from_arrow(group.crowd.accounts)
    assert isinstance(accounts, pl.DataFrame)
    first = pl.lit(FIRST_DAY)
    return Played(
        rows.with_columns(
            (pl.col("ts").dt.date() - first).dt.total_days().alias("night"),
            pl.col("ts").dt.hour().alias("hour"),
        ).sort("account_id", "ts", "request_id"),
        accounts,
    )
