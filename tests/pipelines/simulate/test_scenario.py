"""Scenario files: the shipped ones hold together, wrong ones are refused by name."""

from pathlib import Path
from typing import get_args

import pytest

from pipelines.cli import Scale
from pipelines.errors import UsageError
from pipelines.simulate import SCALES, load_scenario
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.kinds import BENIGN
from pipelines.simulate.spec import EVASIONS

SIZES = ("small", "medium", "incident")


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_all_benign_kinds_and_more_people_than_harvesters(scale: str) -> None:
    plan = load_scenario(scale)
    assert set(plan.benign) == set(BENIGN)
    assert sum(plan.benign.values()) > 8 * max((campaign.accounts for campaign in plan.campaign), default=0)
    assert plan.release_night is not None
    assert plan.release_night <= plan.nights
    assert all(campaign.begins <= plan.nights for campaign in plan.campaign)


def test_scales_hold_the_campaigns_they_are_named_for() -> None:
    kinds = {scale: {campaign.kind for campaign in load_scenario(scale).campaign} for scale in SCALES}
    assert kinds["standard"] == set(CAMPAIGNS)
    assert kinds["benign"] == set()
    assert all(kinds[size] == {"synchronised", "low_and_wide", "pivot"} for size in SIZES)
    for regime in ("low_and_wide", "middle", "high_and_narrow", "burst"):
        (only,) = load_scenario(regime).campaign
        assert only.reported_regime == regime


def test_the_standard_world_is_as_large_as_a_report_needs() -> None:
    plan = load_scenario("standard")
    assert sum(plan.benign.values()) >= 40_000
    assert all(campaign.begins > 2 for campaign in plan.campaign)  # two nights of history


def test_the_evasion_matrix_has_each_evasion_alone_none_and_all() -> None:
    by_kind: dict[str, list[tuple[str, ...]]] = {}
    for campaign in load_scenario("evasions").campaign:
        by_kind.setdefault(campaign.kind, []).append(campaign.evasions)
    assert len(by_kind) == 2
    for evasions in by_kind.values():
        assert {used for used in evasions if len(used) <= 1} == {(), *((one,) for one in EVASIONS)}
        assert tuple(sorted(EVASIONS)) in evasions


def test_the_command_offers_every_scale() -> None:
    assert get_args(Scale) == SCALES


def test_accounts_are_dealt_over_generators_by_how_rare_they_are(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('nights = 1\n[benign]\nsingle_purpose_app = 101\n"classroom/hackathon" = 7\n')
    dealt = load_scenario("small", path).generators()
    apps = {generator: n for (kind, generator), n in dealt.items() if kind == "single_purpose_app"}
    assert sum(apps.values()) == 101
    assert set(apps) == set(BENIGN["single_purpose_app"])
    assert apps.pop("big_app") == 1
    assert max(apps.values()) - min(apps.values()) <= 1
    assert dealt["classroom", "hackathon"] == 7
    assert ("classroom", "homework_hour") not in dealt


def test_a_scenario_may_rest_on_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('base = "small"\nnights = 9\n[benign]\ngateway = 0\n')
    plan, small = load_scenario("small", path), load_scenario("small")
    assert plan.nights == 9
    assert plan.campaign == ()
    assert plan.benign == {**small.benign, "gateway": 0}
    assert plan.release_night == small.release_night


def test_the_demo_is_as_large_as_promised() -> None:
    plan = load_scenario("small")
    assert plan.nights >= 3
    assert sum(plan.benign.values()) >= 3_500
    assert sorted(campaign.begins for campaign in plan.campaign)[0] == 1
    assert any(campaign.begins == 2 for campaign in plan.campaign)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("nights = 0\n[benign]", "nights"),
        ("nights = 1", "benign"),
        ("nights = 1\nmoons = 2\n[benign]", "moons"),
        ("nights = 1\n[benign]\ndragons = 3", "unknown kind 'dragons'"),
        ("nights = 1\n[benign]\nperson_chat = -3", "cannot be negative"),
        (
            'nights = 1\n[benign]\n[[campaign]]\nname="x"\nkind="y"\naccounts=1\nrequests_per_day=1',
            "unknown kind 'y'",
        ),
        (
            "nights = 1\n[benign]\n"
            + '[[campaign]]\nname="x"\nkind="pivot"\naccounts=1\nrequests_per_day=1\n' * 2,
            "same name",
        ),
        ('nights = 1\n[benign]\n"classroom/ballet" = 3', "no generator 'ballet'"),
        ('base = "galactic"\n[benign]', "unknown scale 'galactic'"),
        (
            'nights = 1\n[benign]\n[[campaign]]\nname="x"\nkind="pivot"\naccounts=1\n'
            'requests_per_day=1\nevasions=["magic"]',
            "evasions",
        ),
        ("nights = [", "scenario.toml"),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_entry_that_is_wrong(
    text: str, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=complaint) as refused:
        load_scenario("small", path)
    assert "scenario" in refused.value.remedy
