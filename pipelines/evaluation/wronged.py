"""Whom the monitor wrongs: false flags by benign kind, generator, country, language and script.

Here: counts and rates of benign accounts, each sort of account on a line of its own. Not here: campaigns
(matching), precision and recall (accounts).

- *At watch* are accounts whose strongest recommended action is `watch`; *above watch* those with `limit`,
  `verify` or `suspend`; *flagged* are both.
- *Per million* is the share among the benign accounts of that line, with its exact (Clopper-Pearson) bounds:
  none of 40,000 is "0, at most 92".
- A script is the writing system that most of an account's prompts are in. It stands for language where
  labels do not name the language.
"""

import polars as pl

from pipelines.evaluation.intervals import exact
from pipelines.evaluation.material import Material

MILLION = 1_000_000


def by_kind(material: Material) -> pl.DataFrame:
    """One row per benign kind, by name: kind, counts, rates and their bounds."""
    return _wronged(_benign(material), "kind")


def by_generator(material: Material) -> pl.DataFrame:
    """One row per kind and generator; none where the labels name no generator."""
    return _wronged(_benign(material).filter(pl.col("generator").is_not_null()), "kind", "generator")


def by_attribute(material: Material, attribute: str) -> pl.DataFrame:
    """One row per `country`, `language` or `script`; none where nothing is known of it."""
    return _wronged(_benign(material).filter(pl.col(attribute).is_not_null()), attribute)


def altogether(material: Material) -> dict[str, float | int | None]:
    """Counts and rates over all benign accounts, and false flags per million benign accounts and night."""
    benign = _benign(material)
    rates = _wronged(benign.with_columns(all=pl.lit("all")), "all")
    ids = benign.select("account_id")
    n_nights_wronged = material.flags.join(ids, on="account_id").select("account_id", "day").unique().height
    n_account_nights = material.activity.join(ids, on="account_id").height if material.whole else 0
    counts = dict.fromkeys(_RATES, None) if rates.is_empty() else rates.drop("all").row(0, named=True)
    per_night = n_nights_wronged * MILLION / n_account_nights if n_account_nights else None
    return {
        "n_benign_accounts": benign.height,
        **{name: counts[name] for name in _RATES},
        "n_benign_account_nights": n_account_nights if material.whole else None,
        "per_million_account_nights": per_night,
    }


def _benign(material: Material) -> pl.DataFrame:
    return material.benign.join(material.people, on="account_id")


_RATES = (
    "at_watch",
    "above_watch",
    "per_million_flagged",
    "per_million_flagged_low",
    "per_million_flagged_high",
    "per_million_above_watch",
    "per_million_above_watch_low",
    "per_million_above_watch_high",
)


def _wronged(accounts: pl.DataFrame, *sort: str) -> pl.DataFrame:
    counts = (
        accounts.group_by(*sort)
        .agg(
            pl.len().cast(pl.Int64).alias("n_accounts"),
            (pl.col("action") == 0).sum().cast(pl.Int64).alias("at_watch"),
            (pl.col("action") > 0).sum().cast(pl.Int64).alias("above_watch"),
        )
        .sort(*sort)
    )
    return with_rates(counts)


def with_rates(counts: pl.DataFrame) -> pl.DataFrame:
    """`n_accounts, at_watch, above_watch`, followed by rates per million and their exact bounds."""
    parts = {
        "per_million_flagged": counts["at_watch"] + counts["above_watch"],
        "per_million_above_watch": counts["above_watch"],
    }
    rates = []
    for name, wronged in parts.items():
        bounds = [exact(part, whole) for part, whole in zip(wronged, counts["n_accounts"], strict=True)]
        rates += [
            (wronged * MILLION / counts["n_accounts"]).cast(pl.Float64).alias(name),
            pl.Series(f"{name}_low", [(low or 0.0) * MILLION for low, _ in bounds], pl.Float64),
            pl.Series(f"{name}_high", [(high or 0.0) * MILLION for _, high in bounds], pl.Float64),
        ]
    return counts.with_columns(rates)
