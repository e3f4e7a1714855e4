"""What every benign generator keeps to, and where the table of kinds stands to them."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from crowds import EVERYBODY, FEW, MIDNIGHT_US, a_group, one_night, played

from pipelines.record import ACCOUNT_SCHEMA, REQUEST_SCHEMA
from pipelines.simulate.group import NEVER
from pipelines.simulate.kinds import BENIGN

TABLE = Path(__file__).parents[3] / "docs" / "reference" / "simulation-kinds.md"
NEW_ON_THE_DAY = {"classroom", "viral_prompt"}


def test_every_kind_has_at_least_three_generators_of_its_own() -> None:
    for kind, generators in BENIGN.items():
        assert len(generators) >= 3, kind
        assert len(set(generators.values())) == len(generators), kind


def test_the_table_of_kinds_names_exactly_the_generators_there_are() -> None:
    written = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", TABLE.read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(written) == sorted(EVERYBODY)


@pytest.mark.parametrize(("kind", "generator"), EVERYBODY)
def test_a_crowd_is_labelled_by_kind_and_generator_and_sends_valid_rows(kind: str, generator: str) -> None:
    world, group = a_group(kind, generator, FEW)
    assert group.crowd.labels["kind"].unique().to_pylist() == [kind]
    assert group.crowd.labels["generator"].unique().to_pylist() == [generator]
    assert group.crowd.labels["label"].unique().to_pylist() == ["benign"]
    assert group.crowd.accounts.schema.equals(ACCOUNT_SCHEMA)
    rows = played(kind, generator, FEW).rows
    assert rows.height > 0
    assert set(rows["account_id"]) <= set(group.crowd.accounts["account_id"].to_pylist())
    assert rows["request_id"].is_unique().all()
    assert (rows["prompt"].str.len_bytes() > 0).all()
    assert rows["night"].is_between(0, 6).all()
    assert (rows["attempt"] >= 1).all()
    assert (rows["n_turns"] >= 1).all()
    assert (rows["output_tokens"] >= rows["reasoning_tokens"].fill_null(0)).all()
    assert one_night(world, group, generator, 0).schema.equals(REQUEST_SCHEMA)


@pytest.mark.parametrize(("kind", "generator"), EVERYBODY)
def test_any_night_alone_is_the_same_night_in_sequence(kind: str, generator: str) -> None:
    world, group = a_group(kind, generator, FEW)
    in_sequence = [one_night(world, group, generator, number) for number in range(7)]
    _, afresh = a_group(kind, generator, FEW)
    for number in (6, 2):
        assert one_night(world, afresh, generator, number).equals(in_sequence[number])


@pytest.mark.parametrize(("kind", "generator"), EVERYBODY)
def test_a_single_account_lives_through_a_world_of_one_night_and_one_without_a_release(
    kind: str, generator: str
) -> None:
    for n_days, release_day in ((1, 0), (3, 10**6)):
        world, group = a_group(kind, generator, 1, n_days, release_day)
        for number in range(n_days):
            rows = one_night(world, group, generator, number)
            assert set(rows["account_id"].to_pylist()) <= set(group.crowd.accounts["account_id"].to_pylist())


@pytest.mark.parametrize(("kind", "generator"), EVERYBODY)
def test_nobody_sends_before_signing_up(kind: str, generator: str) -> None:
    _, group = a_group(kind, generator, FEW)
    created = pl.from_arrow(group.crowd.accounts)["account_id", "created_at"]
    rows = played(kind, generator, FEW).rows.join(created, on="account_id")
    assert (rows["ts"] >= rows["created_at"]).all()
    n = len(group.crowd)
    first_moment = np.asarray(created["created_at"].dt.timestamp("us")) - MIDNIGHT_US
    if group.signups is None:
        assert kind not in NEW_ON_THE_DAY
        assert (first_moment < 0).all()
    else:
        assert group.signups(np.full(n, NEVER)).tolist() == first_moment.tolist()


def test_no_two_accounts_share_an_end_user_unless_a_relay_passes_them_through() -> None:
    shares = {}
    for kind, generator in EVERYBODY:
        users = played(kind, generator, FEW).rows.drop_nulls("end_user_id")
        if users.height:
            per_user = users.group_by("end_user_id").agg(pl.col("account_id").n_unique())
            shares[generator] = float((per_user["account_id"] > 1).mean())
    assert shares.pop("device_passthrough") > 0.3
    assert max(shares.values()) == 0.0
    assert {"with_end_users", "support_bot", "minted_client"} <= set(shares)


def test_some_accounts_of_most_kinds_lack_what_would_clear_them() -> None:
    """Young, unverified or silent about their use: a rule on one field wrongs somebody nearly everywhere."""
    lacking = 0
    for kind in BENIGN:
        crowds = [a_group(kind, generator, 60)[1].crowd for generator in BENIGN[kind]]
        accounts = pl.concat([pl.from_arrow(crowd.accounts) for crowd in crowds])
        young = (accounts["created_at"].dt.timestamp("us") > MIDNIGHT_US - 30 * 86_400_000_000).any()
        lacking += young and accounts["use_case"].null_count() > 0 and not accounts["verified"].all()
    assert lacking >= len(BENIGN) - 4
