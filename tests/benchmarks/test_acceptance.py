"""What was asked beside what was measured: a verdict is as sure as its interval, what is missing says so."""

import sys
from typing import Any

import pytest
from running import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from quality_acceptance import Figure, acceptance_table
from quality_page import page


def world(
    *,
    campaigns: list[dict[str, Any]] | None = None,
    benign: list[tuple[str, int, int, int]] = (),
    joined: tuple[int, int] | None = None,
) -> list[dict[str, Any]]:
    """Rows of one evaluation: campaigns, and (kind, accounts, at watch, above watch) of the innocent."""
    plain = {"kind": "burst", "regime": "burst", "evasions": "", "coverage_at_first": 1.0, "purity": 1.0}
    rows: list[dict[str, Any]] = [
        {"row": "campaign", "campaign": f"c{at}", "detected": True, "nights_to_detection": 1, **plain, **one}
        for at, one in enumerate(campaigns or [])
    ]
    rows += [
        {"row": "benign_kind", "kind": kind, "n_accounts": n, "at_watch": watch, "above_watch": above}
        for kind, n, watch, above in benign
    ]
    if joined:
        counts = {"n_joined": joined[0], "n_tied_within_one_night": joined[1], "n_tied": joined[1]}
        rows.append({"row": "re_emergence", "campaign": "c0", **counts, "n_elsewhere": 0})
    n_benign = sum(n for _, n, _, _ in benign)
    return [*rows, {"row": "total", "n_nights": 7, "n_benign_accounts": n_benign, "stated_rate": 0.05}]


def said(worlds: dict[str, list[list[dict[str, Any]]]]) -> dict[str, tuple[str, ...]]:
    """name of each figure -> measured, and verdict."""
    table = acceptance_table(worlds)
    assert len({row[0] for row in table.rows}) == len(table.rows)
    return {row[0]: (row[2], row[5].strip("*")) for row in table.rows}


@pytest.mark.parametrize(
    ("value", "low", "high", "at_least", "verdict"),
    [
        (0.99, 0.96, 1.0, True, "met"),
        (0.99, 0.90, 1.0, True, "not shown"),
        (0.94, 0.90, 0.99, True, "not met"),
        (0.99, None, None, True, "not shown"),
        (None, None, None, True, "not measured"),
        (0.90, 0.80, 0.94, False, "met"),
        (0.90, 0.80, 0.96, False, "not shown"),
        (0.96, 0.90, 0.99, False, "not met"),
    ],
)
def test_a_figure_is_met_when_its_whole_interval_keeps_to_what_was_asked(
    value, low, high, at_least, verdict
) -> None:
    assert Figure("f", 0.95, at_least, "", value, low, high).verdict == verdict


def test_three_campaigns_found_show_no_recall_of_95_percent_and_a_hundred_do() -> None:
    few = said({"standard": [world(campaigns=[{}] * 3)]})
    many = said({"standard": [world(campaigns=[{}] * 100)]})
    assert few["campaigns found, plain"] == ("100%", "not shown")
    assert many["campaigns found, plain"] == ("100%", "met")
    assert many["campaigns found, plain, burst"] == ("100%", "met")
    assert many["campaigns found, plain, middle"] == ("-", "not measured")


def test_a_campaign_found_late_counts_against_the_nights_and_one_never_found_too() -> None:
    late, never = {"nights_to_detection": 4}, {"detected": False, "nights_to_detection": None}
    figures = said({"standard": [world(campaigns=[{}] * 8 + [late, never])]})
    assert figures["campaigns found within one night (median)"][0] == "80%"
    assert figures["campaigns found within three nights (p90)"] == ("80%", "not met")


def test_each_evasion_is_a_line_of_its_own() -> None:
    hidden = {"evasions": "paraphrase", "detected": False}
    runs = [world(campaigns=[{"evasions": "rotation"}, hidden, {"evasions": "paraphrase+rotation"}])]
    figures = said({"evasions": runs})
    assert figures["campaigns found, paraphrase"] == ("0%", "not met")
    assert figures["campaigns found, rotation"] == ("100%", "not shown")
    assert figures["campaigns found, any one evasion"] == ("50%", "not met")
    assert figures["campaigns found, several evasions at once"] == ("100%", "not shown")


def test_ten_in_a_million_takes_370_000_accounts_without_a_flag() -> None:
    some = said({"benign": [world(benign=[("person_chat", 60_000, 0, 0)])]})
    enough = {"benign": [world(benign=[("person_chat", 60_000, 0, 0)])]} | {
        "benign_large": [world(benign=[("person_chat", 310_000, 0, 0)])]
    }
    name = "without campaigns, accounts in the queue"
    assert some[name] == ("0 per million", "not shown")
    assert said(enough)[name] == ("0 per million", "met")
    assert said(enough)["without campaigns, accounts above watch"][1] == "not shown"


def test_the_worst_kind_is_not_averaged_away() -> None:
    benign = [("person_chat", 1_000_000, 0, 0), ("classroom", 300, 2, 1)]
    figures = said({"standard": [world(benign=benign)]})
    assert figures["beside campaigns, worst benign kind in the queue"] == ("1%", "not met")
    assert figures["beside campaigns, worst benign kind above watch"][1] == "not met"


def test_bystanders_have_a_line_for_each_thing_they_share() -> None:
    benign = [
        ("bystander_payment", 5_000, 0, 0),
        ("bystander_address", 5_000, 300, 0),
        ("person_chat", 9, 9, 0),
    ]
    figures = said({"bystanders": [world(benign=benign)]})
    assert figures["bystanders by payment, in the queue"] == ("0%", "met")
    assert figures["bystanders by address, in the queue"] == ("6%", "not met")


def test_a_new_pool_is_tied_by_its_accounts() -> None:
    figures = said({"feedback": [world(campaigns=[{}], joined=(200, 190))]})
    assert figures["accounts of re-formed pools tied within a night"] == ("95%", "met")


def test_the_page_says_what_nobody_measured() -> None:
    marks = {"world": "benign", "texts": "own corpus", "seed": 1, "split": "report", "variant": ""}
    about = {
        "row": "run",
        "n_requests": 9,
        "n_accounts": 3,
        "n_campaign_requests": 0,
        "nights": 7,
        "n_banned": 0,
    }
    rows = [marks | row for row in [*world(benign=[("person_chat", 3, 0, 0)]), about | {"code": "now"}]]
    text = page(rows, None, code="now")
    assert "Not measured at all: `standard`, `evasions`" in text
    assert "| campaigns found, plain | at least 95% | - | - | - | not measured |" in text
    assert "**Stale:**" not in text
    assert "**Stale:** These results are of earlier code" in page(rows, None, code="later")
