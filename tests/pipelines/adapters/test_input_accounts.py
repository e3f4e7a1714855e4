"""The accounts file and the labels file."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.accounts import read_accounts
from pipelines.errors import UnreadableInput, UsageError
from pipelines.record import ACCOUNT_SCHEMA

SECRET = "the tortoise counts its steps"


def test_accounts_from_csv_with_dates_in_several_forms(csv):
    accounts, refused = read_accounts(
        csv(
            "account_id,created_at,verified,approved_use,approved_until,shoe_size\n"
            "bob,2019-02-03T04:05:06+01:00,0,synthetic_data,9999-12-31,44\n"
            "ana,1548817445,true,,2025-06-30T00:00:00Z,\n"
        )
    )
    assert refused.num_rows == 0
    assert accounts.schema == ACCOUNT_SCHEMA
    ana, bob = accounts.to_pylist()
    assert (ana["account_id"], bob["account_id"]) == ("ana", "bob")
    assert ana["created_at"] == datetime(2019, 1, 30, 3, 4, 5, tzinfo=UTC)
    assert bob["created_at"] == datetime(2019, 2, 3, 3, 5, 6, tzinfo=UTC)
    assert (ana["verified"], bob["verified"]) == (True, False)
    assert (ana["approved_use"], bob["approved_use"]) == (None, "synthetic_data")
    assert (ana["approved_until"], bob["approved_until"]) == (date(2025, 6, 30), date(9999, 12, 31))
    assert ana["org_id"] is None


def test_accounts_alike_from_parquet_and_json_lines(tmp_path, lines):
    pq.write_table(
        pa.table(
            {
                "account_id": ["ana"],
                "created_at": pa.array([datetime(2025, 1, 2, tzinfo=UTC)], pa.timestamp("ms", "UTC")),
                "verified": [True],
                "approved_until": [date(2026, 1, 1)],
            }
        ),
        tmp_path / "accounts.parquet",
    )
    one = {"account_id": "ana", "created_at": "2025-01-02", "verified": 1, "approved_until": "2026-01-01"}
    from_lines, _ = read_accounts(lines(one, name="accounts.jsonl.zst"))
    assert read_accounts(tmp_path / "accounts.parquet")[0] == from_lines


def test_of_an_account_listed_again_the_last_row_counts_and_the_others_are_told(csv):
    accounts, refused = read_accounts(csv("account_id,plan\nana,free\nbob,team\nana,pro\n"))
    assert [(one["account_id"], one["plan"]) for one in accounts.to_pylist()] == [
        ("ana", "pro"),
        ("bob", "team"),
    ]
    assert [(one["row_number"], one["column_name"]) for one in refused.to_pylist()] == [(2, "account_id")]
    assert "last row counts" in refused["reason"][0].as_py()


def test_a_bad_account_row_is_refused_and_the_others_are_read(csv):
    accounts, refused = read_accounts(
        csv(f"account_id,verified,approved_until\n ,true,\nana,{SECRET},\nbob,1,soon\ncid,1,\n")
    )
    assert accounts["account_id"].to_pylist() == ["cid"]
    assert [(one["row_number"], one["reason"]) for one in refused.to_pylist()] == [
        (2, "missing or empty"),
        (3, "expected true or false"),
        (4, "expected a date"),
    ]
    assert SECRET not in repr(refused.to_pylist())


def test_an_accounts_file_without_accounts(csv):
    with pytest.raises(UsageError, match="no column account_id"):
        read_accounts(csv("account,plan\nana,free\n"))
    assert read_accounts(csv(""))[0].num_rows == 0
    with pytest.raises(UnreadableInput):
        read_accounts(csv(b"PAR1..", name="accounts.parquet"))
