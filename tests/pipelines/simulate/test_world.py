"""A hamlet is simulated: its files, its people and what each kind is known for."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from worlds import HAMLET, bytes_of, hamlet, requests_of

from pipelines.errors import UsageError
from pipelines.record import ACCOUNT_SCHEMA, REQUEST_SCHEMA, SIMULATED_LABEL_SCHEMA
from pipelines.simulate import simulate


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_world(
    world: Path, tmp_path: Path
) -> None:
    hamlet(tmp_path / "again")
    hamlet(tmp_path / "other", seed=2)
    assert bytes_of(tmp_path / "again") == bytes_of(world)
    ours = set(pl.read_parquet(world / "labels.parquet")["account_id"])
    assert ours.isdisjoint(pl.read_parquet(tmp_path / "other" / "labels.parquet")["account_id"])


def test_a_new_kind_leaves_everybody_else_as_they_were(requests: pl.DataFrame, tmp_path: Path) -> None:
    hamlet(
        tmp_path / "smaller",
        text=HAMLET.replace("gateway = 1\n", "").replace("power_user = 4", "power_user = 0"),
    )
    gone = ["gateway", "power_user"]
    rest = requests.filter(~pl.col("kind").is_in(gone)).drop("place", "file")
    assert requests_of(tmp_path / "smaller").drop("place", "file").equals(rest)


def test_rows_and_accounts_have_the_shapes_that_scans_read(world: Path) -> None:
    logs = sorted(world.glob("logs/*/*.parquet"))
    assert [path.parent.name for path in logs] == [f"day=2026-03-0{n}" for n in (2, 3, 4)]
    for path in logs:
        assert pq.read_schema(path).equals(REQUEST_SCHEMA)
        day = path.parent.name.removeprefix("day=")
        times = pl.read_parquet(path)["ts"]
        assert times.dt.date().unique().to_list() == [date.fromisoformat(day)]
        assert times.is_sorted()
    assert pq.read_schema(world / "accounts.parquet").equals(ACCOUNT_SCHEMA)
    assert pq.read_schema(world / "labels.parquet").equals(SIMULATED_LABEL_SCHEMA)


def test_every_account_is_labelled_once_and_known_to_the_accounts_file(
    world: Path, requests: pl.DataFrame
) -> None:
    labels, accounts = (pl.read_parquet(world / f"{name}.parquet") for name in ("labels", "accounts"))
    assert labels["account_id"].is_unique().all()
    assert labels["account_id"].to_list() == accounts["account_id"].to_list()
    assert requests["label"].null_count() == 0
    assert set(labels.filter(label="campaign")["campaign"]) == {"tallow", "lantern", "ferry"}
    assert labels.filter(label="benign")["campaign"].null_count() == labels.filter(label="benign").height


def test_required_columns_are_filled_and_numbers_fit_each_other(requests: pl.DataFrame) -> None:
    for column in ("request_id", "ts", "account_id", "prompt", "model", "ip", "client_fingerprint"):
        assert requests[column].null_count() == 0
    assert requests["request_id"].is_unique().all()
    assert (requests["prompt"].str.len_bytes() > 0).all()
    assert (requests["output_tokens"] >= requests["reasoning_tokens"].fill_null(0)).all()
    assert (requests["input_tokens"] >= requests["cached_tokens"]).all()
    failed = requests.filter(pl.col("status") != 200)
    assert 0.005 < failed.height / requests.height < 0.04
    assert failed["output_tokens"].sum() == 0
    assert (
        requests.filter(pl.col("max_tokens") > 0)["output_tokens"]
        <= requests.filter(pl.col("max_tokens") > 0)["max_tokens"]
    ).all()


def test_campaigns_keep_to_the_rates_of_the_public_record(requests: pl.DataFrame) -> None:
    per_night = (
        requests.filter(label="campaign")
        .group_by("campaign", pl.col("ts").dt.date().alias("night"), "account_id")
        .len()
        .group_by("campaign")
        .agg(pl.col("len").mean().alias("mean"), pl.col("len").std().alias("spread"))
    )
    mean = dict(per_night.select("campaign", "mean").iter_rows())
    spread = dict(per_night.select("campaign", "spread").iter_rows())
    assert 11 < mean["tallow"] < 13
    assert spread["tallow"] < 1.0  # dealt evenly: a queue, not thirty tempers
    assert 5 < mean["lantern"] < 7
    assert requests.filter(campaign="lantern")["ts"].dt.date().min() == date(2026, 3, 3)


def test_a_work_queue_hands_no_item_to_two_accounts(requests: pl.DataFrame) -> None:
    traces = requests.filter(pl.col("campaign").eq("tallow") & (pl.col("prompt").str.len_bytes() > 400))
    owners = traces.group_by("prompt").agg(pl.col("account_id").n_unique())
    assert (owners["account_id"] == 1).mean() > 0.99


def test_half_of_the_pivot_moves_to_the_new_model_within_a_day(requests: pl.DataFrame) -> None:
    newest = pl.col("model").eq("atlas-4")
    share = requests.group_by("kind", pl.col("ts").dt.date().alias("night")).agg(newest.mean())
    moved = {(kind, night.day): part for kind, night, part in share.iter_rows()}
    assert moved["pivot", 2] == 0
    assert 0.4 < moved["pivot", 4] < 0.6
    assert 0.05 < moved["person_chat", 4] < 0.4  # everybody else tries it, too


def test_only_synchronised_accounts_share_payments_in_groups(world: Path) -> None:
    people = pl.read_parquet(world / "accounts.parquet").join(
        pl.read_parquet(world / "labels.parquet"), on="account_id"
    )
    payers = (
        people.drop_nulls("payment_fingerprint")
        .group_by("payment_fingerprint")
        .agg(pl.col("kind").first(), pl.len())
    )
    shared = dict(payers.filter(pl.col("len") > 1).group_by("kind").agg(pl.col("len").max()).iter_rows())
    assert shared["synchronised"] == 6
    assert "low_and_wide" not in shared
    assert shared["enterprise_seats"] == 5  # benign sharing exists: one company pays for its seats


def test_contracts_are_on_file(world: Path) -> None:
    people = pl.read_parquet(world / "accounts.parquet").join(
        pl.read_parquet(world / "labels.parquet"), on="account_id"
    )
    approved = dict(
        people.drop_nulls("approved_use").group_by("kind").agg(pl.col("approved_use").first()).iter_rows()
    )
    assert approved == {
        "gateway": "reseller",
        "synthetic_data_customer": "synthetic_data",
        "safety_research": "safety_research",
    }


def test_look_alikes_look_alike(requests: pl.DataFrame) -> None:
    harness = requests.filter(kind="evaluation_harness")
    labs = harness.group_by("prompt").agg(pl.col("account_id").n_unique().alias("labs"))
    assert labs["labs"].max() > 1  # several labs, the very same items
    assert set(harness["temperature"]) == {0.0, 0.8}
    suite = requests.filter(generator="nightly_rubric")
    nights = suite.group_by("prompt").agg(pl.col("ts").dt.date().n_unique().alias("nights"))
    assert (nights["nights"] == 3).mean() > 0.95  # the same items every night
    lesson = requests.filter(generator="homework_hour")
    assert lesson["ip"].n_unique() == 1
    assert lesson.filter(pl.col("n_turns") > 1).height > 0
    coders = requests.filter(kind="coding_agent")
    assert coders["system_prompt"].n_unique() <= 5 < coders["account_id"].n_unique()


def test_people_sleep_and_campaigns_do_not(town: pl.DataFrame) -> None:
    def quietest(rows: pl.DataFrame) -> float:
        by_hour = np.bincount(rows["ts"].dt.hour().to_numpy(), minlength=24)
        return float(by_hour.min() / by_hour.mean())

    assert quietest(town.filter(kind="synchronised")) > 0.4
    assert quietest(town.filter(generator="everyday", country="US")) < 0.25


@pytest.mark.parametrize("log_format", ["jsonl", "jsonl.gz", "csv"])
def test_text_logs_hold_the_same_rows(log_format: str, tmp_path: Path) -> None:
    scenario = tmp_path / "few.toml"
    scenario.write_text("nights = 1\n[benign]\nperson_chat = 10\ncoding_agent = 3\n")
    for name, form in (("text", log_format), ("parquet", "stillwatch")):
        simulate(tmp_path / name, scenario=scenario, log_format=form)
    (path,) = (tmp_path / "text").glob("logs/*/*")
    rows = (
        pl.read_csv(path, infer_schema=False)
        if log_format == "csv"
        else pl.read_ndjson(path, infer_schema_length=None)
    )
    truth = requests_of(tmp_path / "parquet")
    assert rows["request_id"].to_list() == truth["request_id"].to_list()
    assert rows["prompt"].to_list() == truth["prompt"].to_list()
    assert rows["ts"].to_list() == truth["ts"].dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_list()
    tools = [json.loads(t) if isinstance(t, str) else t for t in rows["tool_names"].to_list()]
    assert tools == truth["tool_names"].to_list()


def test_a_folder_of_somebody_elses_files_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "logs" / "gateway.jsonl"
    precious.parent.mkdir()
    precious.write_text("{}\n")
    with pytest.raises(UsageError, match="not of a simulation"):
        simulate(tmp_path)
    assert precious.read_text() == "{}\n"


def test_a_simulation_replaces_an_earlier_one_whole(tmp_path: Path) -> None:
    out = tmp_path / "world"
    hamlet(out)
    scenario = tmp_path / "few.toml"
    scenario.write_text("nights = 1\n[benign]\nperson_chat = 3\n")
    made = simulate(out, scenario=scenario, log_format="csv")
    assert (made.n_accounts, len(made.days), made.campaigns) == (3, 1, ())
    assert [path.name for path in out.glob("logs/*/*")] == ["part-0.csv"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"scale": "galactic"}, "unknown scale"),
        ({"log_format": "xml"}, "unknown log format"),
        ({"days": 0}, "0 nights"),
        ({"seed": -1}, "negative"),
        ({"prompts": Path("nowhere")}, "no such folder"),
        ({"scenario": Path("nowhere.toml")}, "no such scenario"),
    ],
)
def test_what_cannot_be_simulated_is_said_before_anything_is_written(
    arguments: dict[str, object], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=complaint):
        simulate(tmp_path / "out", **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_night_without_anybody_is_an_empty_log(tmp_path: Path) -> None:
    scenario = tmp_path / "empty.toml"
    scenario.write_text("nights = 1\n[benign]\n")
    made = simulate(tmp_path / "out", scenario=scenario)
    assert (made.n_requests, made.n_accounts) == (0, 0)
    assert requests_of(tmp_path / "out").height == 0
    assert "0 requests of 0 accounts over 1 nights" in made.as_line()


def test_a_campaign_of_a_later_night_has_no_accounts_yet(tmp_path: Path) -> None:
    scenario = tmp_path / "later.toml"
    scenario.write_text(HAMLET)
    made = simulate(tmp_path / "out", scenario=scenario, days=1)
    assert made.campaigns == ("tallow", "ferry")
    assert "lantern" not in pl.read_parquet(tmp_path / "out" / "labels.parquet")["campaign"].to_list()
