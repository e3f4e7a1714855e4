"""Worlds drawn by hand, a line an account or a flag, for tests of single figures."""

from datetime import date

import polars as pl

from pipelines.evaluation import Evaluation, judge

NIGHTS = tuple(date(2026, 3, day) for day in range(2, 10))
MON, TUE, WED, THU, FRI, SAT, SUN, NEXT = NIGHTS


def labels(*rows: dict[str, object]) -> pl.DataFrame:
    """Labels with whatever columns the rows have."""
    return pl.DataFrame(list(rows), infer_schema_length=None)


def campaign(name: str, accounts: str, **more: object) -> list[dict[str, object]]:
    """One campaign's rows; accounts are named in one text."""
    return [
        {"account_id": account, "label": "campaign", "campaign": name, "kind": "synchronised", **more}
        for account in accounts.split()
    ]


def benign(kind: str, accounts: str, **more: object) -> list[dict[str, object]]:
    """Innocent accounts of one kind."""
    return [
        {"account_id": account, "label": "benign", "campaign": None, "kind": kind, **more}
        for account in accounts.split()
    ]


def flags(*lines: tuple[date, str | None, str] | tuple[date, str | None, str, str]) -> pl.DataFrame:
    """Flags: night, finding, accounts in one text, and the action where it matters."""
    rows = [
        (night, account, finding, *(action or ("watch",)))
        for night, finding, accounts, *action in lines
        for account in accounts.split()
    ]
    columns = {
        "day": pl.Date,
        "account_id": pl.String,
        "campaign_id": pl.String,
        "recommended_action": pl.String,
    }
    return pl.DataFrame(rows, columns, orient="row")


def sent(*lines: tuple[tuple[date, ...], str, int]) -> pl.DataFrame:
    """Activity: nights, accounts in one text, requests of each on each."""
    rows = [
        (account, night, n)
        for nights, accounts, n in lines
        for account in accounts.split()
        for night in nights
    ]
    return pl.DataFrame(rows, {"account_id": pl.String, "day": pl.Date, "n_requests": pl.Int64}, orient="row")


def one_campaign(scored: Evaluation, name: str) -> dict[str, object]:
    """The row of one campaign."""
    return scored.campaigns.row(by_predicate=pl.col("campaign") == name, named=True)


__all__ = ["judge"]
