"""Campaigns played night by night, their queues numbered so that a test can follow every item."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.group import NEVER, Group, Night, World
from pipelines.simulate.population import DAY_US
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.own_texts import OwnTexts
from pipelines.simulate.texts.workqueue import Queue, equal_areas
from pipelines.simulate.traffic import finish

N_ITEMS = 20_000
Ints = npt.NDArray[np.int64]


class NumberedTexts(OwnTexts):
    """Our own corpus, with instructions as they are and items that say their number."""

    def work(
        self, theme: str, rng: np.random.Generator, *, n_frames: int = 1, languages: Sequence[str] = ("en",)
    ) -> Queue:
        written = super().work(theme, rng, n_frames=n_frames, languages=languages)
        items = pa.array([f"({theme} {n})" for n in range(N_ITEMS)] * len(languages))
        return replace(written, items=items, areas=equal_areas(N_ITEMS), n_languages=len(languages))


@dataclass(frozen=True)
class Played:
    """A campaign and its world."""

    world: World
    spec: CampaignSpec
    group: Group

    def nobody_banned(self) -> Ints:
        return np.full(len(self.group.crowd), NEVER)

    def night(self, number: int, banned_on: Ints | None = None) -> pl.DataFrame:
        """Canonical rows, with the number of the account in its crowd, and the last theme and item named."""
        bans = self.nobody_banned() if banned_on is None else banned_on
        rng = self.world.rng("night", number)
        traffic = self.group.day(Night(number, rng, bans))
        tables = [finish(one, self.group.crowd, number, number * DAY_US, rng) for one in traffic]
        if not tables:
            return pl.DataFrame()
        rows = pl.from_arrow(pa.concat_tables(tables))
        assert isinstance(rows, pl.DataFrame)
        accounts = pl.DataFrame(
            {
                "account_id": self.group.crowd.accounts["account_id"].to_pylist(),
                "account": np.arange(len(self.group.crowd)),
            }
        )
        return rows.join(accounts, on="account_id", how="left", maintain_order="left").with_columns(
            pl.col("prompt").str.extract(r"(?s).*\(([a-z_]+) \d+\)").alias("theme"),
            pl.col("prompt").str.extract(r"(?s).*\([a-z_]+ (\d+)\)").cast(pl.Int64).alias("item"),
        )

    def nights(self, numbers: Sequence[int], banned_on: Ints | None = None) -> pl.DataFrame:
        """Several nights; `night` says which."""
        made = [(number, self.night(number, banned_on)) for number in numbers]
        return pl.concat([rows.with_columns(pl.lit(n).alias("night")) for n, rows in made if rows.height])


def play(
    kind: str,
    *evasions: str,
    accounts: int = 30,
    rate: float = 12,
    nights: int = 6,
    seed: int = 1,
    **more: object,
) -> Played:
    """A campaign in a world of its own; the new model comes out on night 2 (0-based)."""
    world = World(
        seed=seed, first_day=date(2026, 3, 2), n_days=nights, release_day=2, texts=NumberedTexts("tune")
    )
    spec = CampaignSpec.model_validate(
        {
            "name": "tallow",
            "kind": kind,
            "accounts": accounts,
            "requests_per_day": rate,
            "evasions": evasions,
            **more,
        }
    )
    return Played(world, spec, CAMPAIGNS[kind](world, spec, world.rng("campaign", spec.name)))


def delivered(rows: pl.DataFrame) -> pl.DataFrame:
    """Items of a queue that were answered."""
    return rows.filter(pl.col("item").is_not_null() & (pl.col("status") == 200))
