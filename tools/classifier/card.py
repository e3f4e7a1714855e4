"""The figures of docs/reference/classifier.md: confusion tables by source, recall, languages.

Here: tables in Markdown. Not here: how the scores come about (fitting).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from detector.text.classify import Classifier
from detector.text.vocabulary import CAPABILITIES, TEXT_TECHNIQUES
from tools.classifier.fitting import Float64, Scored, alone_at, thresholds_for
from tools.classifier.rows import NO_LABEL, NONE, REPORTED

CARD_FILE = Path(__file__).parents[2] / "docs/reference/classifier.md"
START, END = "<!-- figures: written by tools/classifier -->", "<!-- end of figures -->"


def table(head: list[str], body: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def percent(hits: npt.NDArray[np.bool_]) -> str:
    return f"{100 * hits.mean():.1f} %" if len(hits) else "-"


def by_source(result: Scored, thresholds: Float64) -> str:
    """Technique given, by source: the confusion table, read along a line."""
    given = result.techniques(thresholds)
    counts: dict[tuple[str, str, int], npt.NDArray[np.int64]] = {}
    for row, code in zip(result.rows, given, strict=True):
        key = (row.pool, row.source, row.technique)
        counts.setdefault(key, np.zeros(len(TEXT_TECHNIQUES), np.int64))[code] += 1
    body = []
    for (pool, source, technique), line in sorted(counts.items()):
        has_parts = sum(other == pool for other, _, _ in counts) > 1
        name = f"{pool}: {source.rpartition(':')[2]}" if has_parts else pool
        truth = "not in the text" if technique == NO_LABEL else TEXT_TECHNIQUES[technique]
        body.append([name[:60], truth, *(str(count) if count else "." for count in line)])
    return table(["source", "truth", *TEXT_TECHNIQUES], body)


def technique_summary(result: Scored, thresholds: Float64) -> str:
    """How many ordinary prompts stay free of a flag, and how many of each technique are found."""
    at_one_percent = thresholds_for(result, 0.01)
    body = []
    for code, name in enumerate(TEXT_TECHNIQUES):
        mine = result.where(lambda row, code=code: row.is_benign if code == NONE else row.technique == code)  # type: ignore[misc]
        if mine.rows:
            found = [percent(mine.techniques(limits) == code) for limits in (thresholds, at_one_percent)]
            alone = mine.of_technique[:, code] > alone_at(result, code, 0.01)
            body.append([name if code else "none (ordinary prompts)", str(len(mine.rows)), *found,
                         percent(alone) if code else "-"])  # fmt: skip
    return table(
        ["truth", "prompts", "given so by the shipped thresholds", "at 1 % false positives here",
         "alone, at 1 % here"],
        body,
    )  # fmt: skip


def by_language(result: Scored, thresholds: Float64) -> str:
    body = []
    for language in sorted({row.language for row in result.rows}):
        mine = result.where(lambda row, language=language: row.language == language)  # type: ignore[misc]
        ordinary = mine.where(lambda row: row.is_benign)
        asked = mine.where(lambda row: row.technique > NONE)
        known = mine.where(lambda row: row.capability != NO_LABEL)
        if len(ordinary.rows) + len(asked.rows) + len(known.rows) < 20:
            continue
        found = asked.techniques(thresholds) == [row.technique for row in asked.rows]
        right = known.capabilities() == [row.capability for row in known.rows]
        flagged = ordinary.techniques(thresholds) != NONE
        body.append([language, str(len(flagged)), percent(flagged), str(len(found)), percent(found),
                     str(len(right)), percent(right)])  # fmt: skip
    return table(
        ["language", "ordinary", "flagged", "with a technique", "found", "with a capability", "right"], body
    )


def capability_table(result: Scored) -> str:
    known = result.where(lambda row: row.capability != NO_LABEL)
    truth = np.array([row.capability for row in known.rows])
    given = known.capabilities()
    body = []
    for code in np.unique(truth):
        mine = truth == code
        wrong = np.bincount(given[mine & (given != code)], minlength=len(CAPABILITIES))
        mistaken = CAPABILITIES[int(wrong.argmax())] if wrong.any() else "-"
        body.append([CAPABILITIES[code], str(mine.sum()), percent(given[mine] == code),
                     percent(truth[given == code] == code), mistaken])  # fmt: skip
    macro = f1_score(truth, given, average="macro", labels=np.unique(truth), zero_division=0)
    lines = table(["truth", "prompts", "recall", "precision", "most often mistaken for"], body)
    total = f"Accuracy {percent(truth == given)}, macro-F1 {macro:.3f} over {len(body)} capabilities."
    return f"{lines}\n\n{total}"


def figures(model: Classifier, size_bytes: int, tuned: Scored, reported: Scored, held: Scored) -> str:
    limits = model.thresholds
    named = [f"{name} {limit:.3f}" for name, limit in zip(TEXT_TECHNIQUES[1:], limits[1:], strict=True)]
    parts = [
        f"Version {model.version}: {model.weights.shape[0]} buckets, {model.weights.shape[1]} outputs, "
        f"{size_bytes / 1000:.0f} kB. Thresholds: {', '.join(named)}.",
        "### Sources never trained or tuned on",
        ", ".join(f"`{pool}`" for pool in REPORTED) + ".",
        technique_summary(reported, limits),
        "Technique given, by source:",
        by_source(reported, limits),
        "Capability:",
        capability_table(reported),
        "By language:",
        by_language(reported, limits),
        "### Frames never trained on",
        "Written by the authors of the training frames, so easier than a stranger's; around prompts of the "
        "sources above.",
        technique_summary(held, limits),
        capability_table(held),
        by_language(held, limits),
        "### Cross-validation inside the training sources",
        "Each source is scored by a model that saw nothing of its fold (one to three pools). The "
        "thresholds were chosen on these rows, so the share of ordinary prompts flagged here is no forecast.",
        technique_summary(tuned, limits),
        by_source(tuned, limits),
        capability_table(tuned),
        by_language(tuned, limits),
    ]
    return "\n\n".join(parts)


def write_card(text: str) -> None:
    card = CARD_FILE.read_text(encoding="utf-8")
    before, after = card.split(START)[0], card.split(END)[1]
    CARD_FILE.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", encoding="utf-8")
