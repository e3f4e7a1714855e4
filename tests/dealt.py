"""Requests that fill the slots of templates: a list dealt out, and people with texts of their own."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tests.drawn import JUNE_1

Rows = list[dict[str, Any]]


def request(
    account: str, at: int, prompt: str, n_bytes: int = 400, shingles: Iterable[Any] = ()
) -> dict[str, Any]:
    """One request at so many seconds after midnight."""
    return {
        "account": account,
        "sent_at": f"{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02}",
        "prompt": prompt,
        "n_prompt_bytes": n_bytes,
        "n_prompt_tokens": n_bytes // 5,
        "script": 1,
        "capability": 2,
        "shingles": [int(shingle) for shingle in shingles],
    }


def given_families(con, system_hash: int | None = None, **accounts_of: str) -> None:
    """Every request of accounts that begin with a word belongs to that word's family, all of shingles 1 to
    3; what is sent under this system prompt belongs to the family `system`."""
    con.execute("CREATE OR REPLACE TEMP TABLE tonight_system_family (text_hash UBIGINT, family_id VARCHAR)")
    con.execute(
        """CREATE TEMP TABLE IF NOT EXISTS tonight_family_request
           (row_id BIGINT, family_id VARCHAR, place TINYINT)"""
    )
    if system_hash is not None:
        con.execute("INSERT INTO tonight_system_family VALUES ($1, 'system')", [system_hash])
    for family, word in accounts_of.items():
        con.execute(
            """INSERT INTO night.family BY NAME
               SELECT $day AS day, $family AS family_id, 'prompt' AS kind, 9 AS n_accounts, 9 AS n_requests,
                      9 AS n_items, $day AS first_seen, '' AS skeleton, [1, 2, 3] AS shingles""",
            {"day": JUNE_1, "family": family},
        )
        con.execute(
            """INSERT INTO tonight_family_request SELECT rowid, $family, 0 FROM core.request
               WHERE day = $day AND starts_with(account_id, $word)""",
            {"day": JUNE_1, "family": family, "word": word},
        )


def harvest(rng: np.random.Generator, n_accounts: int = 100, each: int = 6, name: str = "bot") -> Rows:
    """A list of texts of all sizes, dealt out in turn."""
    return [
        request(
            f"{name}-{n % n_accounts:03}", 60 * n, f"{name} item {n}", int(rng.lognormal(6, 1)),
            [1, 2, 3, *rng.integers(10, 2**32, 8)],
        )
        for n in range(n_accounts * each)
    ]  # fmt: skip


def people(rng: np.random.Generator, n_accounts: int = 60) -> Rows:
    """Each writes as long as is that person's way, about the same few things, as often as the day brings
    it."""
    rows = []
    for n in range(n_accounts):
        size, topic = rng.lognormal(6, 1), rng.integers(10, 2**32, 6)
        for k in range(rng.geometric(0.2)):
            own = [1, 2, 3, *topic, *rng.integers(10, 2**32, 3)]
            rows.append(
                request(
                    f"user-{n:03}",
                    int(rng.integers(86_000)),
                    f"{n} says {k}",
                    int(size * rng.lognormal(0, 0.2)),
                    own,
                )
            )
    return rows
