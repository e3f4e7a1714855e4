"""Train detector/text/data/classifier.npz and measure it: `python tools/train_classifier.py POOLS_DIR`.

Reads pools of real prompts (their schema: docs/reference/classifier.md) and the frames of
classifier_phrases.toml, writes the weights, and fills the figures of docs/reference/classifier.md. A
source is either trained and tuned on or reported on. The same pools give the same bytes.
"""

import argparse
import hashlib
import random
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from detector.text.classify import Classifier, probabilities
from detector.text.fingerprint import feature_matrix_parts
from detector.text.vocabulary import CAPABILITIES, TEXT_TECHNIQUES

Float64 = npt.NDArray[np.float64]

HERE = Path(__file__).parent
WEIGHTS_FILE = HERE.parent / "detector/text/data/classifier.npz"
CARD_FILE = HERE.parent / "docs/reference/classifier.md"
PHRASES_FILE = HERE / "classifier_phrases.toml"

VERSION = 2
SEED = 20260
N_BUCKETS = 1 << 15
BENIGN_FALSE_POSITIVES = 0.01
"""Share of ordinary prompts, unseen in training, that may carry a technique: the thresholds follow."""
LOWEST_THRESHOLD = 0.25
"""However few ordinary prompts come near a technique: fewer rows were seen than a night brings."""
UNSORTED_WEIGHT = 0.4
"""Everyday pools are called general_chat as a whole, though people also ask for code and poems in them."""
INVERSE_PENALTY = 3.0
"""scikit-learn's C: chosen by cross-validation inside the training folds."""
ROWS_PER_POOL = 900
"""A set that is large should not count for more: its rows are alike. Shared evenly by its sources."""
FOLDS: tuple[tuple[str, ...], ...] = (
    ("distill_self_instruct", "distill_alpaca_template", "benign_user_oriented_252", "benign_lobe_agents",
     "distill_screenagent"),
    ("distill_metamath", "hardneg_gsm8k_harness", "benign_wildchat", "distill_camel"),
    ("distill_prometheus", "hardneg_mt_bench", "benign_awesome_prompts", "distill_gpteacher",
     "hardneg_bfcl"),
    ("benign_oasst_zh", "benign_banking77", "hardneg_fabric_pipelines", "hardneg_code_review",
     "distill_llava"),
)  # fmt: skip
"""Trained and tuned on. Sets that share questions or seeds stand in one fold."""
REPORTED = (
    "hardneg_arena_hard", "hardneg_arena_hard_judge", "distill_dsgym_datamind", "hardneg_dabstep",
    "distill_oss_instruct", "distill_fireact", "distill_toolbench", "hardneg_humaneval", "benign_oasst_eval",
    "benign_swe_agent",
)  # fmt: skip
"""Never trained or tuned on."""

NO_LABEL = -1
NONE = 0

# What the text of a request shows, by pool, or by the part of the source's name after the colon. A pool
# that is not listed shows no technique. None: the technique stands in the system prompt or in the
# conversation, so the text alone can teach neither it nor its absence.
TECHNIQUE_OF: dict[str, str | None] = {
    "distill_self_instruct": "instruction_generation",
    "distill_alpaca_template": "instruction_generation",
    "distill_camel": "instruction_generation",
    "distill_oss_instruct": "instruction_generation",
    "distill_prometheus": "preference_labels",
    "hardneg_arena_hard_judge": "preference_labels",
    "distill_metamath": "reasoning_trace",
    "rephrase": "instruction_generation",
    "hotpotqa_cot": "reasoning_trace", "mmlu_cot": "reasoning_trace", "strategyqa_cot": "reasoning_trace",
    "distill_fireact": "trajectory",
    "distill_screenagent": "trajectory",
    "neg_eval": "preference_labels",
    "distill_dsgym_datamind": "trajectory",
    "dsgym_query_synthesis": "instruction_generation",
    "distill_toolbench": None,
    "distill_llava": None,
    "benign_swe_agent": None,
}  # fmt: skip

# Where a pool's own column does not say what its text asks for.
CAPABILITY_OF: dict[str, str | None] = {
    "benign_banking77": "general_chat",  # the question of a customer; no one asks to have it classified
    "hardneg_fabric_pipelines": None,  # the task stands in the system prompt, the text is a document
    "neg_eval": "rubric_grading",
    "roleplay": "creative_writing",
}
CAPABILITY_OF_TECHNIQUE = {
    "preference_labels": "rubric_grading",
    "safety_rewrite": "safety_sensitive",
    "trajectory": "agentic",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled prompt. Labels are positions in CAPABILITIES and TEXT_TECHNIQUES, or NO_LABEL."""

    text: str
    pool: str
    source: str
    language: str
    capability: int
    technique: int
    is_benign: bool


def read_pool(path: Path, *, rows_per_pool: int) -> list[Row]:
    """The rows of one pool, at most so many of each source, in an order that no file order changes."""
    columns = ["source", "kind", "capability", "prompt", "language"]
    chosen: dict[str, list[tuple[bytes, Row]]] = {}
    pool = path.stem
    for item in pq.read_table(path, columns=columns).to_pylist():
        if not item["prompt"]:
            continue
        source = pool if pool in ("benign_banking77", "hardneg_fabric_pipelines") else item["source"]
        row = labelled(pool, source, item)
        chosen.setdefault(source, []).append((hashlib.sha256(row.text.encode()).digest(), row))
    rows_per_source = max(20, rows_per_pool // max(1, len(chosen)))
    return [
        row
        for source in sorted(chosen)
        for _, row in sorted(chosen[source], key=lambda pair: pair[0])[:rows_per_source]
    ]


def labelled(pool: str, source: str, item: dict[str, str]) -> Row:
    part = source.rpartition(":")[2]
    technique = TECHNIQUE_OF.get(part, TECHNIQUE_OF.get(pool, "none"))
    named = CAPABILITY_OF.get(item["capability"], item["capability"])
    capability = CAPABILITY_OF.get(part, CAPABILITY_OF.get(pool, named))
    return Row(
        text=item["prompt"],
        pool=pool,
        source=source,
        language=item["language"] or "unknown",
        capability=NO_LABEL if capability is None else CAPABILITIES.index(capability),
        technique=NO_LABEL if technique is None else TEXT_TECHNIQUES.index(technique),
        is_benign=item["kind"] != "distillation" and technique == "none",
    )


# ------------------------------------------------------------------ frames written by us


class Frames:
    """The frames of classifier_phrases.toml, filled with payloads from real ordinary prompts."""

    def __init__(self, payloads: list[Row], *, part: str, seed: int) -> None:
        self.phrases = tomllib.loads(PHRASES_FILE.read_text(encoding="utf-8"))
        self.part = part
        self.random = random.Random(seed)
        self.payloads = payloads
        self.by_language: dict[str, list[Row]] = {}
        for row in payloads:
            self.by_language.setdefault(row.language, []).append(row)

    def rows(self, *, english: int, other: int) -> Iterator[Row]:
        """So many rows of every technique and capability in English, and in each other language."""
        for technique, languages in self.phrases["technique"].items():
            for language, parts in languages.items():
                n = english if language == "en" else other
                for _ in range(n):
                    text, inner = self.filled(self.random.choice(parts[self.part]), language)
                    capability = CAPABILITY_OF_TECHNIQUE.get(technique)
                    code = inner if capability is None else CAPABILITIES.index(capability)
                    yield self.row(text, f"technique:{technique}", language, code, technique)
        for language, parts in self.phrases["ordinary"].items():
            for _ in range(4 * (english if language == "en" else other)):
                text, _ = self.filled(self.random.choice(parts[self.part]), language)
                yield self.row(text, "ordinary", language, NO_LABEL, "none")
        for capability in self.phrases["capability"]:
            for language, frames in self.capability_frames(capability).items():
                for _ in range(english // 2 if language == "en" else other // 2):
                    text, _ = self.filled(self.random.choice(frames), language, nested=False)
                    code = CAPABILITIES.index(capability)
                    technique = None if capability == "agentic" else "none"
                    yield self.row(text, f"capability:{capability}", language, code, technique)

    def word_rows(self, *, english: int, other: int) -> Iterator[Row]:
        """Phrases of one kind in any order, around a payload: they teach words, not whole sentences."""
        for kind, languages in self.phrases["words"].items():
            is_technique = kind in TEXT_TECHNIQUES
            for language, phrases in languages.items():
                for _ in range(english if language == "en" else other):
                    # One phrase alone is no technique: people, too, say "step by step".
                    n = self.random.choice((2, 3, 4, 6) if is_technique else (1, 2, 3))
                    text, inner = self.joined(self.random.choices(phrases.split(" | "), k=n), language)
                    if is_technique:
                        named = CAPABILITY_OF_TECHNIQUE.get(kind)
                        code = inner if named is None else CAPABILITIES.index(named)
                        yield self.row(text, f"technique:{kind}", language, code, kind)
                    elif kind == "ordinary":
                        yield self.row(text, kind, language, NO_LABEL, "none")
                    else:
                        technique = None if kind == "agentic" else "none"
                        yield self.row(
                            text, f"capability:{kind}", language, CAPABILITIES.index(kind), technique
                        )

    def joined(self, phrases: list[str], language: str) -> tuple[str, int]:
        """Phrases in a row, and a payload before or after them more often than not."""
        text = phrases[0]
        for phrase in phrases[1:]:
            text += self.random.choice((" ", ", ", ". ", "\n", "\n- ", ": ")) + phrase
        place = self.random.random()
        if place < 0.3:
            return text, NO_LABEL
        payload, capability = self.payload(language, nested=False)
        return (f"{text}\n\n{payload}" if place < 0.75 else f"{payload}\n\n{text}"), capability

    def capability_frames(self, capability: str) -> dict[str, list[str]]:
        parts: dict[str, list[str]] = dict(self.phrases["capability"][capability])
        held: dict[str, list[str]] = parts.pop("held")  # type: ignore[assignment]
        return parts if self.part == "train" else held

    def thinned(self, frame: str, language: str) -> str:
        """A training frame with some of its words left out, so that no single one carries it."""
        keep = self.random.choice((1.0, 0.8, 0.6))
        if self.part != "train" or keep == 1.0:
            return frame
        pattern = r"(\{[xt]\}|\[[^][]*\|[^][]*\]|\s+" + (r"|\S)" if language in ("zh", "ja") else ")")
        return "".join(
            piece
            for piece in re.split(pattern, frame)
            if not piece.strip() or piece[0] in "{[" or self.random.random() < keep
        )

    def row(self, text: str, source: str, language: str, capability: int, technique: str | None) -> Row:
        code = NO_LABEL if technique is None else TEXT_TECHNIQUES.index(technique)
        return Row(text, f"frames_{self.part}", source, language, capability, code, source == "ordinary")

    def filled(self, frame: str, language: str, *, nested: bool = True) -> tuple[str, int]:
        """A frame with its choices made and its slots filled, and the capability of its payload."""
        text = self.thinned(frame, language)
        text = re.sub(r"\[([^][]*\|[^][]*)\]", lambda found: self.random.choice(found[1].split("|")), text)
        topic = self.random.choice(self.phrases["topic"][language])
        text = text.replace("{t}", topic)
        capability = NO_LABEL
        while "{x}" in text:
            payload, capability = self.payload(language, nested=nested)
            text = text.replace("{x}", payload, 1)
        return text, capability

    def payload(self, language: str, *, nested: bool) -> tuple[str, int]:
        if nested and self.random.random() < 0.4:
            name = self.random.choice(sorted(self.phrases["capability"]))
            frames = self.phrases["capability"][name].get(language)
            if self.part == "train" and frames:
                text, _ = self.filled(self.random.choice(frames), language, nested=False)
                return text, CAPABILITIES.index(name)
        own = self.by_language.get(language, [])
        row = self.random.choice(own if len(own) >= 20 else self.payloads)
        # Long payloads would push the frame out of sight of the head and tail that are read.
        return row.text[: self.random.choice((80, 300, 1200))].replace("{", "(").replace(
            "}", ")"
        ), row.capability


# ------------------------------------------------------------------ fitting


@dataclass(frozen=True, slots=True)
class Features:
    """Counts of hashed features, one row a text."""

    counts: csr_matrix
    n_features: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: list[Row]) -> "Features":
        texts = pa.array([row.text for row in rows], pa.large_string())
        columns, starts = feature_matrix_parts(texts, n_buckets=N_BUCKETS)
        counts = csr_matrix(
            (np.ones(len(columns), np.float32), columns.astype(np.int32), starts.astype(np.int32)),
            shape=(len(rows), N_BUCKETS),
        )
        counts.sum_duplicates()
        return cls(counts, np.diff(starts).astype(np.int32))

    def scaled(self) -> csr_matrix:
        """Counts over the root of the text's length, exactly as detector.text.classify scales them."""
        out = self.counts.copy()
        root = np.sqrt(np.maximum(self.n_features, 1)).astype(np.float32)
        out.data /= np.repeat(root, np.diff(out.indptr))
        return out

    def sums(self, weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        """What the kernel would add up."""
        return np.asarray(self.counts @ weights.astype(np.float32)).round().astype(np.int32)


def fit(rows: list[Row]) -> Classifier:
    """Two multinomial logistic regressions side by side, rounded to int8; thresholds come later."""
    features = Features.of(rows)
    rare = rarity(features)
    scaled = features.scaled().multiply(rare).tocsr()
    weights, biases = [], []
    unsorted = np.array([row.is_benign and row.capability == 0 for row in rows])
    for labels, n_classes, row_weights in (
        (
            np.array([row.capability for row in rows]),
            len(CAPABILITIES),
            np.where(unsorted, UNSORTED_WEIGHT, 1.0),
        ),
        (np.array([row.technique for row in rows]), len(TEXT_TECHNIQUES), np.ones(len(rows))),
    ):
        known = labels != NO_LABEL
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=200, tol=1e-3)
        model.fit(scaled[known], labels[known], sample_weight=row_weights[known])
        if len(model.classes_) < 3:
            raise ValueError("these pools show fewer than three answers to a question: too few to train on")
        head = np.zeros((N_BUCKETS, n_classes))
        head[:, model.classes_] = model.coef_.T * rare[:, None]
        bias = np.full(n_classes, -30.0)  # an answer without a row is never chosen
        bias[model.classes_] = model.intercept_
        weights.append(head)
        biases.append(bias)
    return quantised(np.hstack(weights), np.concatenate(biases))


def rarity(features: Features) -> Float64:
    """How much a feature tells by being there: the inverse document frequency (Sparck Jones, Journal of
    Documentation 28, 1972). The penalty then falls on everyday words, which every new source uses in its
    own way; folded into the weights, it costs nothing at scan time."""
    n_texts = features.counts.shape[0]
    n_with = np.bincount(features.counts.indices, minlength=N_BUCKETS)
    out = np.log1p(n_texts / np.maximum(n_with, 1))
    return np.asarray(out / np.sqrt((out[features.counts.indices] ** 2).mean()))


def quantised(weights: Float64, biases: Float64) -> Classifier:
    """Round to int8, one scale an output. The few largest weights are cut off: they would cost all
    the others their precision."""
    largest = np.quantile(np.abs(weights), 0.9998, axis=0)
    scales = np.maximum(largest, 1e-6) / 127
    rounded = np.clip(np.round(weights / scales), -127, 127).astype(np.int8)
    return Classifier(rounded, scales, biases, np.full(len(TEXT_TECHNIQUES), 0.5), VERSION)


# ------------------------------------------------------------------ measuring


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows and what a model that never saw their sources says of them."""

    rows: list[Row]
    of_capability: Float64
    of_technique: Float64

    def likeliest(self) -> npt.NDArray[np.int64]:
        """Code of the likeliest technique other than none."""
        return 1 + self.of_technique[:, 1:].argmax(axis=1)

    def techniques(self, thresholds: Float64) -> npt.NDArray[np.int64]:
        """What `classify` would give."""
        best = self.likeliest()
        return np.where(self.of_technique[np.arange(len(best)), best] >= thresholds[best], best, NONE)

    def capabilities(self) -> npt.NDArray[np.int64]:
        return self.of_capability.argmax(axis=1)

    def where(self, keep: Callable[[Row], bool]) -> "Scored":
        at = [index for index, row in enumerate(self.rows) if keep(row)]
        return Scored([self.rows[index] for index in at], self.of_capability[at], self.of_technique[at])


def scored(model: Classifier, rows: list[Row]) -> Scored:
    features = Features.of(rows)
    return Scored(rows, *probabilities(model, features.sums(model.weights), features.n_features))


def joined(parts: list[Scored]) -> Scored:
    return Scored(
        [row for part in parts for row in part.rows],
        np.vstack([part.of_capability for part in parts]),
        np.vstack([part.of_technique for part in parts]),
    )


def thresholds_for(result: Scored, false_positives: float) -> Float64:
    """A threshold for each technique, so that all together exceed it on so small a share of ordinary
    prompts; every pool counts alike. Never below LOWEST_THRESHOLD."""
    ordinary = result.where(lambda row: row.is_benign)
    pools = np.array([row.pool for row in ordinary.rows])
    names, sizes = np.unique(pools, return_counts=True)
    per_row = 1 / (sizes[np.searchsorted(names, pools)] * len(names))
    best = ordinary.likeliest()
    thresholds = np.full(len(TEXT_TECHNIQUES), LOWEST_THRESHOLD)
    for code in range(1, len(TEXT_TECHNIQUES)):
        mine = np.flatnonzero(best == code)
        score = ordinary.of_technique[mine, code]
        order = np.argsort(-score, kind="stable")
        n_over = np.searchsorted(
            np.cumsum(per_row[mine][order]), false_positives / (len(TEXT_TECHNIQUES) - 1), side="right"
        )
        if n_over < len(order):
            thresholds[code] = max(LOWEST_THRESHOLD, np.ceil(score[order[n_over]] * 1000) / 1000)
    return thresholds


def with_frames(rows: list[Row], *, part: str, seed: int, english: int, other: int) -> list[Row]:
    """The rows, and rows made of our frames around the ordinary ones among them."""
    payloads = [row for row in rows if row.is_benign and 8 <= len(row.text) <= 4000]
    frames = Frames(payloads, part=part, seed=seed)
    words = frames.word_rows(english=english, other=other) if part == "train" else ()
    return [*rows, *frames.rows(english=english, other=other), *words]


def train(pools: dict[str, list[Row]], *, english: int, other: int) -> tuple[Classifier, Scored]:
    """The model of all folds with its thresholds, and every fold as scored by a model without it."""

    def rows_of(folds: Iterable[tuple[str, ...]]) -> list[Row]:
        return [row for fold in folds for pool in fold for row in pools.get(pool, ())]

    def model_of(folds: Iterable[tuple[str, ...]]) -> Classifier:
        return fit(with_frames(rows_of(folds), part="train", seed=SEED, english=english, other=other))

    tuned = joined(
        [
            scored(model_of(one for one in FOLDS if one != fold), rows_of([fold]))
            for fold in FOLDS
            if rows_of([fold])
        ]
    )
    thresholds = thresholds_for(tuned, BENIGN_FALSE_POSITIVES)
    return replace(model_of(FOLDS), thresholds=thresholds), tuned


def save(model: Classifier, path: Path) -> None:
    np.savez_compressed(
        path,
        weights=model.weights,
        scales=model.scales.astype(np.float32),
        biases=model.biases.astype(np.float32),
        thresholds=model.thresholds.astype(np.float32),
        version=np.int64(model.version),
    )


# ------------------------------------------------------------------ the card


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
            body.append([name if code else "none (ordinary prompts)", str(len(mine.rows)), *found])
    return table(
        ["truth", "prompts", "given so by the shipped thresholds", "at 1 % false positives here"], body
    )


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
        "Each source is scored by a model that saw nothing of its fold. The thresholds were chosen on these "
        "rows, so the share of ordinary prompts flagged here is no forecast.",
        technique_summary(tuned, limits),
        by_source(tuned, limits),
        capability_table(tuned),
    ]
    return "\n\n".join(parts)


def write_card(text: str) -> None:
    card = CARD_FILE.read_text(encoding="utf-8")
    start, end = "<!-- figures: written by tools/train_classifier.py -->", "<!-- end of figures -->"
    before, after = card.split(start)[0], card.split(end)[1]
    CARD_FILE.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def read_pools(folder: Path, *, rows_per_pool: int = ROWS_PER_POOL) -> dict[str, list[Row]]:
    """The rows of every pool that FOLDS or REPORTED name and the folder holds."""
    wanted = {pool for fold in FOLDS for pool in fold} | set(REPORTED)
    paths = sorted(path for path in folder.glob("*.parquet") if path.stem in wanted)
    return {path.stem: read_pool(path, rows_per_pool=rows_per_pool) for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("pools", type=Path, help="folder of prompt pools in Parquet")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="where the weights go")
    parser.add_argument("--rows-per-pool", type=int, default=ROWS_PER_POOL)
    parser.add_argument("--frames", type=int, default=300, help="rows of each kind from our English frames")
    parser.add_argument("--no-card", action="store_true", help="leave docs/reference/classifier.md as it is")
    arguments = parser.parse_args()
    pools = read_pools(arguments.pools, rows_per_pool=arguments.rows_per_pool)
    with threadpool_limits(limits=1):  # sums in one order, so that the same pools give the same bytes
        model, tuned = train(pools, english=arguments.frames, other=max(2, arguments.frames // 3))
    save(model, arguments.out)
    size_bytes = arguments.out.stat().st_size
    if arguments.no_card:
        print(f"{arguments.out.name}: {size_bytes} bytes")
        return
    report_rows = [row for pool in REPORTED for row in pools.get(pool, ())]
    with_held = with_frames(report_rows, part="held", seed=SEED + 1, english=100, other=40)
    text = figures(
        model, size_bytes, tuned, scored(model, report_rows), scored(model, with_held[len(report_rows) :])
    )
    write_card(text)
    print(text)


if __name__ == "__main__":
    main()
