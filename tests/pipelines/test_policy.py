"""The policy as settings: old files still work, mistakes are named, and the written rules say what is so."""

import re
from pathlib import Path

import pytest
from running import ROOT

from detector.campaigns import Policy
from detector.models.lone import LonePolicy
from pipelines.errors import UsageError
from pipelines.settings import DetectionSettings, LoneSettings, Settings, load_settings


def written(folder: Path, text: str) -> Path:
    """A settings file."""
    path = folder / "stillwatch.toml"
    path.write_text(text)
    return path


def test_what_no_setting_moves_is_the_detectors_own_policy():
    assert Settings().detection.policy() == Policy()


def test_a_file_from_before_the_other_thresholds_were_settings_still_means_the_same(tmp_path, monkeypatch):
    old = "[detection]\nleast_log_odds = 7\nfirst_night_log_odds = 8\nfalse_discovery_rate = 0.01\n"
    monkeypatch.setenv("STILLWATCH_DETECTION__LEAST_LOG_ODDS", "7.5")
    assert load_settings(written(tmp_path, old)).detection.policy() == Policy(
        least_log_odds=7.5, first_night_log_odds=8.0, false_discovery_rate=0.01
    )


def test_a_house_that_never_suspends_by_itself_says_so_in_its_file(tmp_path):
    cautious = '[detection]\nhigh_action = "verify"\nmedium_action = "limit"\nfirst_night_softer = 2\n'
    policy = load_settings(written(tmp_path, cautious)).detection.policy()
    assert (policy.low_action, policy.medium_action, policy.high_action) == ("watch", "limit", "verify")
    assert policy.first_night_softer == 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("least_log_odds = -1", r"detection\.least_log_odds"),
        ("least_log_odds = nan", r"detection\.least_log_odds"),
        ("high_log_odds = inf", r"detection\.high_log_odds"),
        ("false_discovery_rate = 1", r"detection\.false_discovery_rate"),
        ("least_reference = 0", r"detection\.least_reference"),
        ("first_night_softer = 4", r"detection\.first_night_softer"),
        ('high_action = "ban"', r"detection\.high_action"),
        ("high_log_odds = 6", "high_log_odds is below medium_log_odds"),
        ('low_action = "suspend"', "more confidence would lead to a softer action"),
        ("least_odds = 5", r"detection\.least_odds"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_by_name(tmp_path, line, complaint):
    with pytest.raises(UsageError, match=complaint):
        load_settings(written(tmp_path, f"[detection]\n{line}\n"))


def test_the_written_policy_names_every_setting_with_its_default():
    page = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"`(\w+)` \(([\w.]+)\)", page))
    defaults = {name: field.default for name, field in DetectionSettings.model_fields.items()}
    assert said == {name: "nothing" if value == () else str(value) for name, value in defaults.items()}


def test_the_written_policy_names_every_setting_of_accounts_alone_with_its_default():
    page = (ROOT / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"`lone\.(\w+)` \(([\w.]+)\)", page))
    assert said == {name: str(field.default) for name, field in LoneSettings.model_fields.items()}


def test_what_no_setting_moves_is_the_detectors_own_policy_of_accounts_alone(tmp_path):
    assert Settings().lone_policy() == LonePolicy()
    moved = '[lone]\nleast_log_odds = 3.5\n[detection]\nmedium_action = "limit"\n'
    assert load_settings(written(tmp_path, moved)).lone_policy() == LonePolicy(
        least_log_odds=3.5, medium_action="limit"
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("least_requests = 10", r"lone\.least_requests"),
        ("false_discovery_rate = 0", r"lone\.false_discovery_rate"),
        ("least_log_odds = nan", r"lone\.least_log_odds"),
        ("least_reference = 3", r"lone\.least_reference"),
        ("high_log_odds = 9", r"lone\.high_log_odds"),
    ],
)
def test_a_policy_of_accounts_alone_that_cannot_be_meant_is_refused_by_name(tmp_path, line, complaint):
    with pytest.raises(UsageError, match=complaint):
        load_settings(written(tmp_path, f"[lone]\n{line}\n"))
