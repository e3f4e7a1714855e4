"""What a person reads when labels were brought in, or asks which there are.

Here: words and a table. Not here: how text becomes safe for a terminal (pipelines.terminal).
"""

from collections.abc import Iterable

from pipelines.cases import Label
from pipelines.labels.importing import ImportSummary
from pipelines.summary import MOST_REASONS, count, plural
from pipelines.terminal import show, show_table


def show_import(done: ImportSummary) -> None:
    """What became of files of notices and decisions."""
    said = ", ".join(f"{count(number)} {said.value}" for said, number in sorted(done.n_by_said.items()))
    new = plural(done.n_new, "new label") + (f" ({said})" if said else "")
    show(f"{plural(done.n_notices, 'notice')}: {new}, {count(done.n_known)} known before", style="bold")
    if done.n_passed_over:
        show(f"Passed over {plural(done.n_passed_over, 'record')} that say nothing about anybody.")
    if done.n_cases:
        show(f"{plural(done.n_cases, 'notice')} only name a case: fetch the cases and bring them in as well.")
    _show_subjects(
        "No account of this workspace", done.unknown, "bring the file in again once it was scanned"
    )
    _show_subjects("Used by several accounts", done.ambiguous, "say with --ids whose they are")
    for row in done.refused[:MOST_REASONS]:
        place = f"{row.path}, row {row.row_number}" + (f", {row.column}" if row.column else "")
        show(f"  {place}: {row.reason}", style="yellow")
        show(f"    remedy: {row.remedy}")
    if len(done.refused) > MOST_REASONS:
        show(f"  and {plural(len(done.refused) - MOST_REASONS, 'more refused row')}")
    for unreadable in done.unreadable:
        show(f"  {unreadable}", style="red")
        show(f"    remedy: {unreadable.remedy}")


def _show_subjects(what: str, subjects: tuple[str, ...], remedy: str) -> None:
    if not subjects:
        return
    more = f" and {count(len(subjects) - MOST_REASONS)} more" if len(subjects) > MOST_REASONS else ""
    show(f"{what}: {', '.join(subjects[:MOST_REASONS])}{more}", style="yellow")
    show(f"    remedy: {remedy}")


def show_labels(labels: Iterable[Label]) -> None:
    """Every label, by account, newest first."""
    rows = [
        [
            label.account_id,
            f"{label.said_at:%Y-%m-%d %H:%M}",
            label.source,
            label.kind,
            label.said.value,
            label.category or "-",
            label.reason or "-",
        ]
        for label in labels
    ]
    if rows:
        show_table(["account", "when", "source", "kind", "said", "category", "reason"], rows)
    else:
        show("No labels: `stillwatch labels FILE` brings in notices and past decisions.")
