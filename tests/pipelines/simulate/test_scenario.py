"""Scenario files: the shipped ones hold together, wrong ones are refused by name."""

from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.simulate import SCALES, load_scenario
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.kinds import BENIGN


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_has_all_kinds_and_more_people_than_harvesters(scale: str) -> None:
    plan = load_scenario(scale)
    assert set(plan.benign) == set(BENIGN)
    assert {campaign.kind for campaign in plan.campaign} == set(CAMPAIGNS)
    assert sum(plan.benign.values()) > 8 * max(campaign.accounts for campaign in plan.campaign)
    assert plan.release_night is not None
    assert plan.release_night <= plan.nights


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
