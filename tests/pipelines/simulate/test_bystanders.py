"""Bystanders share one object with their campaign and no other, and change nothing for anybody else."""

from pathlib import Path

import polars as pl
import pytest
from test_leakage import identities, is_at_chance
from worlds import bytes_of, requests_of

from pipelines.simulate import simulate

N = 40
"""Bystanders of each kind."""

KINDS = {f"bystander_{what}" for what in ("template", "address", "client", "payment", "system")}

VILLAGE = """
nights = 3
[benign]
person_chat = 150
coding_agent = 20

[[campaign]]
name = "ferry"
kind = "pivot"
accounts = 80
requests_per_day = 12
begins = 2
bystanders = {n}
"""


def village(out: Path, n: int = N, **options: object) -> Path:
    scenario = out.parent / f"village-{n}.toml"
    scenario.write_text(VILLAGE.format(n=n))
    simulate(out, scenario=scenario, **options)  # type: ignore[arg-type]
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return village(tmp_path_factory.mktemp("bystanders") / "world")


@pytest.fixture(scope="module")
def sent(home: Path) -> pl.DataFrame:
    return requests_of(home)


def openings(rows: pl.DataFrame) -> pl.Series:
    return rows["prompt"].str.slice(0, 40)


def harvest(sent: pl.DataFrame) -> pl.DataFrame:
    """Requests of the campaign whose first words come again and again: its instructions."""
    ours = sent.filter(label="campaign").with_columns(opening=pl.col("prompt").str.slice(0, 40))
    return ours.filter(pl.len().over("opening") >= 20)


def systems(sent: pl.DataFrame) -> set[str]:
    """System prompts that only the campaign, among all but bystanders, sends."""
    others = sent.filter((pl.col("label") == "benign") & ~pl.col("kind").is_in(KINDS))
    ours = sent.filter(label="campaign")["system_prompt"].drop_nulls()
    return set(ours) - set(others["system_prompt"].drop_nulls())


def test_there_are_as_many_of_each_kind_as_asked_and_all_are_innocent(home: Path) -> None:
    labels = pl.read_parquet(home / "labels.parquet").filter(pl.col("kind").str.starts_with("bystander_"))
    assert dict(labels.group_by("kind").len().iter_rows()) == dict.fromkeys(KINDS, N)
    assert set(labels["label"]) == {"benign"}
    assert labels["campaign"].null_count() == labels.height
    assert set(labels["generator"]) == {"pivot"}


def test_each_shares_exactly_its_one_object(home: Path, sent: pl.DataFrame) -> None:
    people = pl.read_parquet(home / "accounts.parquet").join(
        pl.read_parquet(home / "labels.parquet"), on="account_id"
    )
    guilty = sent.filter(label="campaign")
    theirs = {
        "template": set(harvest(sent)["opening"]),
        "address": set(guilty["ip"]),
        "client": set(guilty["client_fingerprint"]),
        "payment": set(people.filter(label="campaign")["payment_fingerprint"].drop_nulls()),
        "system": systems(sent),
    }
    assert all(theirs.values())
    for kind in sorted(KINDS):
        own = sent.filter(kind=kind)
        has = {
            "template": openings(own).is_in(theirs["template"]),
            "address": own["ip"].is_in(theirs["address"]),
            "client": own["client_fingerprint"].is_in(theirs["client"]),
            "payment": people.filter(kind=kind)["payment_fingerprint"].is_in(theirs["payment"]),
            "system": own["system_prompt"].is_in(theirs["system"]),
        }
        shared = {what for what, where in has.items() if where.any()}
        assert shared == {kind.removeprefix("bystander_")}, kind
        if kind not in ("bystander_template", "bystander_address"):
            assert has[kind.removeprefix("bystander_")].all()
        if kind == "bystander_address":  # some exits are of members who rested on these nights
            assert has["address"].mean() > 0.8


def test_a_template_is_used_one_to_three_times_around_words_of_ones_own(sent: pl.DataFrame) -> None:
    theirs = harvest(sent)
    users = sent.filter(kind="bystander_template").with_columns(opening=pl.col("prompt").str.slice(0, 40))
    uses = users.filter(pl.col("opening").is_in(set(theirs["opening"])))
    assert uses.group_by("account_id").len()["len"].is_between(1, 3).all()
    assert uses["account_id"].n_unique() > 0.5 * N
    assert set(uses["prompt"]).isdisjoint(theirs["prompt"])
    assert uses["ts"].dt.date().min() == theirs["ts"].dt.date().min()  # not before the campaign's first night


def test_nobody_else_sends_anything_else_because_of_them(sent: pl.DataFrame, tmp_path: Path) -> None:
    without = requests_of(village(tmp_path / "without", n=0)).drop("place", "file")
    rest = sent.filter(~pl.col("kind").is_in(KINDS)).drop("place", "file")
    assert rest.equals(without)


def test_the_same_seed_gives_the_same_bytes_and_any_night_can_be_made_alone(
    home: Path, tmp_path: Path
) -> None:
    assert bytes_of(village(tmp_path / "again")) == bytes_of(home)
    alone = village(tmp_path / "alone", night=3)
    (log,) = alone.glob("logs/*/*.parquet")
    assert log.read_bytes() == (home / log.relative_to(alone)).read_bytes()


def test_the_halves_of_two_splits_share_no_bystander(tmp_path: Path) -> None:
    tune, report = (requests_of(village(tmp_path / split, split=split)) for split in ("tune", "report"))
    for column in ("account_id", "ip"):
        assert set(tune[column]).isdisjoint(report[column])
    ours = [set(half.filter(kind="bystander_system")["system_prompt"]) for half in (tune, report)]
    assert ours[0].isdisjoint(ours[1])


def test_ids_tell_bystanders_neither_from_people_nor_from_campaigns(sent: pl.DataFrame) -> None:
    # Who shares an address shares it knowingly: that kind is left out.
    accounts = sent.filter(pl.col("kind") != "bystander_address").unique(
        "account_id", keep="last", maintain_order=True
    )
    assert is_at_chance(identities(accounts), accounts["kind"].is_in(KINDS).to_numpy())
    assert is_at_chance(identities(accounts), (accounts["label"] == "campaign").to_numpy())
