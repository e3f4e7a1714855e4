"""An outage in a simulated world: who fails, who tries again, and that nothing else changes."""

from pathlib import Path

import polars as pl
import pytest
from worlds import HAMLET, bytes_of, hamlet, requests_of

from pipelines.errors import UsageError

OUTAGE = """
[[outage]]
night = 2
hour = 10
hours = 2
share = 0.6
"""


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    out = tmp_path_factory.mktemp("outage") / "world"
    hamlet(out, text=HAMLET + OUTAGE)
    return requests_of(out)


def during(rows: pl.DataFrame) -> pl.DataFrame:
    hour = pl.col("ts").dt.hour()
    return rows.filter(pl.col("ts").dt.day() == 3, hour.is_between(10, 11))


def test_most_of_what_is_sent_in_these_hours_fails_and_comes_again(struck: pl.DataFrame) -> None:
    inside = during(struck)
    failed = inside.filter(pl.col("status").is_in([500, 503, 529]))
    assert 0.3 < len(failed) / len(inside) < 0.6  # most second tries are answered
    assert (failed["output_tokens"] == 0).all()
    assert (failed["stop_reason"] == "error").all()
    again = failed.join(struck.filter(pl.col("attempt") > 1), on=["account_id", "prompt"], how="semi")
    assert len(again) > 0.6 * len(failed)


def test_everything_outside_is_as_it_would_have_been(struck: pl.DataFrame, requests: pl.DataFrame) -> None:
    known = requests.join(struck, on="request_id", how="semi")
    assert len(known) == len(requests)  # nobody's request is lost
    added = struck.join(requests, on="request_id", how="anti")
    assert (added["attempt"] > 1).all()
    outside = requests.join(during(requests).select("request_id"), on="request_id", how="anti")
    same = struck.join(outside.select("request_id"), on="request_id", how="semi").drop("place", "file")
    assert same.sort("request_id").equals(outside.drop("place", "file").sort("request_id"))


def test_the_same_outage_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        hamlet(tmp_path / name, text=HAMLET + OUTAGE)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


@pytest.mark.parametrize("wrong", ["night = 0", "hour = 24", "hours = 0", "share = 1.5", "minutes = 3"])
def test_an_outage_that_makes_no_sense_is_refused_by_name(tmp_path: Path, wrong: str) -> None:
    name = wrong.split(" = ", maxsplit=1)[0]
    text = OUTAGE.replace(f"{name} = ", f"{name} = 99 #") if name not in ("minutes",) else OUTAGE + wrong
    text = "\n".join(wrong if line.startswith(f"{name} =") else line for line in text.splitlines())
    with pytest.raises(UsageError, match=r"outage\.0\."):
        hamlet(tmp_path / "world", text=HAMLET + text)
