"""What a backtest says: as rows for programs, as small tables for people.

Here: the forms of `stillwatch backtest --format`. Not here: what is compared (comparison).
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

from detector.campaigns import Evidence, Policy
from pipelines.backtest.comparison import Changed, Decided, NightChange
from pipelines.cases import Verdict
from pipelines.rows import json_lines
from pipelines.terminal import show, show_table

MOST_SHOWN = 30
"""Campaigns and nights in a table; JSON Lines hold all."""

MOST_PIECES = 3
"""Pieces of evidence in a table, the weightiest; JSON Lines hold all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Past nights by another policy, against what was decided."""

    policy: Policy
    campaigns: Sequence[Changed]
    nights: Sequence[NightChange]
    decided: Sequence[Decided]
    left_out: Sequence[date]
    """nights scanned before the evidence of candidates was kept"""

    def rows(self) -> Iterator[dict[str, Any]]:
        """Everything; `row` says what a row is about: policy, campaign, night, decided or left_out."""
        yield {"row": "policy", **asdict(self.policy)}
        for campaign in self.campaigns:
            yield {
                "row": "campaign",
                **asdict(campaign),
                "evidence": [_piece(piece) for piece in campaign.evidence],
            }
        for night in self.nights:
            yield {"row": "night", **asdict(night)}
        for cases in self.decided:
            yield {"row": "decided", **asdict(cases), "n_no_longer": cases.n_no_longer}
        for day in self.left_out:
            yield {"row": "left_out", "day": day}


def _piece(piece: Evidence) -> dict[str, Any]:
    names = ("family", "code", "value", "usual_range", "log_odds")
    return {name: getattr(piece, name) for name in names}


def write(outcome: Backtest, form: Literal["table", "jsonl"]) -> None:
    """Write a backtest to standard output."""
    if form == "jsonl":
        sys.stdout.writelines(json_lines(outcome.rows()))
    else:
        _show(outcome)


def _show(outcome: Backtest) -> None:
    first, last = outcome.nights[0].day, outcome.nights[-1].day
    show(f"{_plural(len(outcome.nights), 'night')} judged again, {first} to {last}", style="bold")
    if outcome.left_out:
        show(
            f"Left out: {_plural(len(outcome.left_out), 'night')} scanned before the evidence of candidates "
            f"was kept ({outcome.left_out[0]} to {outcome.left_out[-1]})",
            style="yellow",
        )
    changed = [one for one in outcome.campaigns if one.change != "unchanged"]
    show()
    if not changed:
        show(f"Nothing changes: {_plural(len(outcome.campaigns), 'campaign')} as before.")
    else:
        _show_campaigns(changed, len(outcome.campaigns) - len(changed))
        show()
        _show_nights([night for night in outcome.nights if night.n_new or night.n_no_longer])
    show()
    _show_decided(outcome.decided)


def _show_campaigns(changed: Sequence[Changed], n_unchanged: int) -> None:
    heads = (
        *("change", "campaign", "accounts", "log-odds", "nights", "confidence", "action", "decided"),
        "strongest evidence",
    )
    shown = changed[:MOST_SHOWN]
    show_table(heads, [_cells(one) for one in shown], right=("accounts", "log-odds", "nights"))
    more = f"{_plural(len(changed) - len(shown), 'more change')}, " if len(changed) > len(shown) else ""
    show(f"and {more}{_plural(n_unchanged, 'campaign')} unchanged")


def _cells(one: Changed) -> tuple[str, ...]:
    weightiest = sorted(one.evidence, key=lambda piece: -abs(piece.log_odds))[:MOST_PIECES]
    return (
        one.change,
        one.campaign_id or f"candidate {one.candidate_id} of {one.day}",
        f"{one.n_accounts:,}",
        "-" if one.log_odds is None else f"{one.log_odds:.1f}",
        _both(str(len(one.days_were)), str(len(one.days_would_be))),
        _both(one.confidence_was or "-", one.confidence_would_be or "-"),
        _both(one.action_was or "-", one.action_would_be or "-"),
        _CONCLUDED[one.decided] if one.decided else "-",
        ", ".join(f"{piece.code} {piece.log_odds:+.1f}" for piece in weightiest),
    )


_CONCLUDED = {Verdict.APPROVE: "confirmed", Verdict.DISMISS: "dismissed", Verdict.WATCH: "watched"}


def _both(was: str, would_be: str) -> str:
    return was if was == would_be else f"{was} -> {would_be}"


def _show_nights(nights: Sequence[NightChange]) -> None:
    if not nights:
        return
    heads = ("night", "candidates", "campaigns", "no longer", "new", "accounts", "calibrated on")
    show_table(
        heads,
        [
            (
                night.day.isoformat(),
                f"{night.n_candidates:,}",
                _both(f"{night.n_were:,}", f"{night.n_would_be:,}"),
                f"{night.n_no_longer:,}",
                f"{night.n_new:,}",
                _both(f"{night.n_accounts_were:,}", f"{night.n_accounts_would_be:,}"),
                _plural(night.n_reference_nights, "earlier night")
                if night.n_reference_nights
                else "this night alone",
            )
            for night in nights[:MOST_SHOWN]
        ],
        right=heads[1:-1],
    )
    if len(nights) > MOST_SHOWN:
        show(f"and {_plural(len(nights) - MOST_SHOWN, 'more night')} that changes")


def _show_decided(decided: Sequence[Decided]) -> None:
    if not decided:
        show("Nobody has decided about any of these campaigns.")
    for cases in decided:
        gone = "missed" if cases.verdict is Verdict.APPROVE else "no longer flagged"
        show(
            f"{_CONCLUDED[cases.verdict].capitalize()} campaigns: {cases.n_cases:,}; {cases.n_were:,} were "
            f"flagged, {cases.n_would_be:,} would be, {cases.n_no_longer:,} {gone}"
        )


def _plural(number: int, one: str) -> str:
    return f"{number:,} {one}" + ("" if number == 1 else "s")
