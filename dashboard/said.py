"""What others said about accounts: notices of providers, decisions made elsewhere, refusals in the log.

Here: the same section for an account and a campaign. Not here: what a label means (pipelines.cases).
"""

from collections import defaultdict
from collections.abc import Sequence

from dashboard import reading
from dashboard.drawing import Html, badge, count, moment, night, paragraph, plural, section, table, words
from pipelines.cases import Label, Said

WHO = {"openai": "OpenAI", "anthropic": "Anthropic", "own": "Decided elsewhere"}
TONES = {Said.ENFORCED: "bad", Said.NOTICED: "warn", Said.CLEARED: "good"}

_HINT = (
    "Shown beside the evidence and no part of it: a notice may be wrong, or about other harm than harvesting."
)

MOST_LABELS = 50


def said_about_account(account_id: str) -> None:
    """Every label of one account, newest first, and what its provider refused; nothing where there is
    none."""
    labels, refusals = reading.cases().labels([account_id]), reading.account_refusals(account_id)
    if not labels and refusals.is_empty():
        return
    section("What others said", _HINT)
    if labels:
        table(
            ["When", "Who", "What", "Category", "Reason"],
            [
                [moment(one.said_at), _who(one), _what(one), one.category or "-", one.reason or "-"]
                for one in labels[:MOST_LABELS]
            ],
        )
    for row in refusals.iter_rows(named=True):
        paragraph(
            f"The provider refused {plural(row['n_requests'], 'request')} as {row['category']}, from "
            f"{night(row['first_at'])} to {night(row['last_at'])}."
        )


def said_about_campaign(accounts: Sequence[str]) -> None:
    """How many of a campaign's accounts carry which label; nothing where none does."""
    labels, refusals = reading.cases().labels(accounts), reading.account_refusals(*accounts)
    if not labels and refusals.is_empty():
        return
    section("What others said", _HINT)
    alike: defaultdict[tuple[str, str, Said, str], list[Label]] = defaultdict(list)
    for one in labels:
        alike[one.source, one.kind, one.said, one.category or "-"].append(one)
    rows = [
        [
            _who(of_it[0]),
            _what(of_it[0]),
            category,
            count(len({one.account_id for one in of_it})),
            moment(max(one.said_at for one in of_it)),
        ]
        for (_, _, _, category), of_it in sorted(alike.items(), key=lambda item: -len(item[1]))
    ]
    if rows:
        table(["Who", "What", "Category", "Accounts", "Latest"], rows[:MOST_LABELS], numbers=[3])
    for row in refusals.iter_rows(named=True):
        paragraph(
            f"The provider refused {plural(row['n_requests'], 'request')} of "
            f"{plural(row['n_accounts'], 'account')} as {row['category']}."
        )


def _who(label: Label) -> str:
    who = WHO.get(label.source, label.source)
    return f"{who}, by {label.said_by}" if label.said_by else who


def _what(label: Label) -> Html:
    return badge(words(label.kind.replace(".", " ")), TONES[label.said])
