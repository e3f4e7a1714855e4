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
from dataclasses import dataclass
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

HERE = Path(__file__).parent
WEIGHTS_FILE = HERE.parent / "detector/text/data/classifier.npz"
CARD_FILE = HERE.parent / "docs/reference/classifier.md"
PHRASES_FILE = HERE / "classifier_phrases.toml"

VERSION = 1
SEED = 20260
N_BUCKETS = 1 << 15
BENIGN_FALSE_POSITIVES = 0.005
"""Share of ordinary prompts, unseen in training, that may carry a technique: the threshold follows from it."""
ROWS_PER_SOURCE = 600
"""A source that is large should not count for more: its rows are alike."""
FOLDS: tuple[tuple[str, ...], ...] = (
    ("distill_self_instruct", "distill_alpaca_template", "benign_user_oriented_252", "benign_lobe_agents",
     "distill_screenagent"),
    ("distill_metamath", "hardneg_gsm8k_harness", "benign_wildchat", "distill_camel"),
    ("distill_prometheus", "hardneg_mt_bench", "benign_awesome_prompts", "distill_gpteacher", "hardneg_bfcl"),
    ("benign_oasst_zh", "benign_banking77", "hardneg_fabric_pipelines", "hardneg_code_review", "distill_llava"),
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

# Everyday pools are called general_chat as a whole, though people also ask for code and poems in them.
UNSORTED_WEIGHT = 0.4


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


def read_pool(path: Path, *, rows_per_source: int) -> list[Row]:
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

    def capability_frames(self, capability: str) -> dict[str, list[str]]:
        parts: dict[str, list[str]] = dict(self.phrases["capability"][capability])
        held: dict[str, list[str]] = parts.pop("held")  # type: ignore[assignment]
        return parts if self.part == "train" else held

    def row(self, text: str, source: str, language: str, capability: int, technique: str | None) -> Row:
        code = NO_LABEL if technique is None else TEXT_TECHNIQUES.index(technique)
        return Row(text, f"frames_{self.part}", source, language, capability, code, source == "ordinary")

    def filled(self, frame: str, language: str, *, nested: bool = True) -> tuple[str, int]:
        """A frame with its choices made and its slots filled, and the capability of its payload."""
        text = re.sub(r"\[([^][]*\|[^][]*)\]", lambda found: self.random.choice(found[1].split("|")), frame)
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
        columns, starts = feature_matrix_parts(
            pa.array([row.text for row in rows], pa.large_string()), n_buckets=N_BUCKETS
        )
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


def fit(rows: list[Row], features: Features, *, threshold: float = 0.5) -> Classifier:
    """Two multinomial logistic regressions side by side, rounded to int8."""
    scaled = features.scaled()
    heads = (
        (np.array([row.capability for row in rows]), len(CAPABILITIES), capability_weights(rows)),
        (np.array([row.technique for row in rows]), len(TEXT_TECHNIQUES), np.ones(len(rows))),
    )
    weights, biases = [], []
    for labels, n_classes, row_weights in heads:
        known = labels != NO_LABEL
        model = LogisticRegression(C=30.0, max_iter=60, tol=1e-3)
        with np.errstate(all="ignore"):
            model.fit(scaled[known], labels[known], sample_weight=row_weights[known])
        head = np.zeros((N_BUCKETS, n_classes))
        bias = np.full(n_classes, -30.0)  # a class without a row is never chosen
        if len(model.classes_) == 2:
            head[:, model.classes_[1]] = model.coef_[0]
            bias[model.classes_] = (0.0, model.intercept_[0])
        else:
            head[:, model.classes_] = model.coef_.T
            bias[model.classes_] = model.intercept_
        weights.append(head)
        biases.append(bias)
    return quantised(np.hstack(weights), np.concatenate(biases), threshold)


def capability_weights(rows: list[Row]) -> npt.NDArray[np.float64]:
    return np.array([UNSORTED_WEIGHT if row.capability == 0 and row.is_benign else 1.0 for row in rows])


def quantised(
    weights: npt.NDArray[np.float64], biases: npt.NDArray[np.float64], threshold: float
) -> Classifier:
    """Round to int8, one scale an output. The few largest weights are cut off: they would cost all
    the others their precision."""
    largest = np.quantile(np.abs(weights), 0.9998, axis=0)
    scales = np.maximum(largest, 1e-6) / 127
    rounded = np.clip(np.round(weights / scales), -127, 127).astype(np.int8)
    return Classifier(rounded, scales, biases, threshold, VERSION)


# ------------------------------------------------------------------ measuring


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows with what a model that never saw their source says of them."""

    rows: list[Row]
    of_capability: npt.NDArray[np.float64]
    of_technique: npt.NDArray[np.float64]

    def technique_score(self) -> npt.NDArray[np.float64]:
        """Probability of the likeliest technique other than none."""
        return np.asarray(self.of_technique[:, 1:].max(axis=1))

    def techniques(self, threshold: float) -> npt.NDArray[np.int64]:
        return np.where(
            self.technique_score() >= threshold, 1 + self.of_technique[:, 1:].argmax(axis=1), NONE
        )

    def where(self, keep: Callable[[Row], bool]) -> "Scored":
        at = [index for index, row in enumerate(self.rows) if keep(row)]
        return Scored([self.rows[index] for index in at], self.of_capability[at], self.of_technique[at])


def scored(model: Classifier, rows: list[Row]) -> Scored:
    features = Features.of(rows)
    return Scored(rows, *probabilities(model, features.sums(model.weights), features.n_features))


def joined(parts: Iterable[Scored]) -> Scored:
    every = list(parts)
    return Scored(
        [row for part in every for row in part.rows],
        np.vstack([part.of_capability for part in every]),
        np.vstack([part.of_technique for part in every]),
    )


def threshold_for(scored_rows: Scored, false_positives: float) -> float:
    """The probability that so small a share of the ordinary prompts exceeds, every pool counting alike."""
    ordinary = scored_rows.where(lambda row: row.is_benign)
    score = ordinary.technique_score()
    pools = np.array([row.pool for row in ordinary.rows])
    per_row = np.zeros(len(score))
    for pool in np.unique(pools):
        per_row[pools == pool] = 1 / np.count_nonzero(pools == pool) / len(np.unique(pools))
    order = np.argsort(-score)
    above = np.cumsum(per_row[order])
    index = int(np.searchsorted(above, false_positives))
    return float(np.nextafter(score[order[min(index, len(order) - 1)]], 2))


def with_frames(rows: list[Row], *, part: str, seed: int, english: int, other: int) -> list[Row]:
    payloads = [row for row in rows if row.is_benign and 8 <= len(row.text) <= 4000]
    return [*rows, *Frames(payloads, part=part, seed=seed).rows(english=english, other=other)]


def train(pools: dict[str, list[Row]], *, english: int, other: int) -> tuple[Classifier, Scored]:
    """The model trained on every fold, its threshold, and each fold as scored by a model without it."""
    unseen = []
    for fold in FOLDS:
        inside = [
            row
            for other_fold in FOLDS
            if other_fold != fold
            for pool in other_fold
            for row in pools.get(pool, ())
        ]
        outside = [row for pool in fold for row in pools.get(pool, ())]
        if not inside or not outside:
            continue
        rows = with_frames(inside, part="train", seed=SEED, english=english, other=other)
        unseen.append(scored(fit(rows, Features.of(rows)), outside))
    tuned = joined(unseen)
    threshold = round(max(0.5, threshold_for(tuned, BENIGN_FALSE_POSITIVES)), 3)
    every = [row for fold in FOLDS for pool in fold for row in pools.get(pool, ())]
    rows = with_frames(every, part="train", seed=SEED, english=english, other=other)
    return fit(rows, Features.of(rows), threshold=threshold), tuned


def save(model: Classifier, path: Path) -> None:
    np.savez_compressed(
        path,
        weights=model.weights,
        scales=model.scales.astype(np.float32),
        biases=model.biases.astype(np.float32),
        threshold=np.float64(model.threshold),
        version=np.int64(model.version),
    )


# ------------------------------------------------------------------ the card


def table(head: list[str], body: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.1f} %"


def share(hits: npt.NDArray[np.bool_]) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def by_source(result: Scored, threshold: float) -> str:
    """Technique given, by source: the confusion table, read along a line."""
    body = []
    given = result.techniques(threshold)
    keys = sorted({(row.pool, row.source, row.technique) for row in result.rows})
    for pool, source, technique in keys:
        mine = np.array(
            [(row.pool, row.source, row.technique) == (pool, source, technique) for row in result.rows]
        )
        counts = np.bincount(given[mine], minlength=len(TEXT_TECHNIQUES))
        name = pool if source == pool else f"{pool}: {source.rpartition(':')[2]}"
        truth = "(not in the text)" if technique == NO_LABEL else TEXT_TECHNIQUES[technique]
        body.append([name[:70], truth, *(str(count) if count else "." for count in counts)])
    return table(["source", "truth", *TEXT_TECHNIQUES], body)


def technique_summary(result: Scored, threshold: float) -> str:
    ordinary = result.where(lambda row: row.is_benign)
    at_one_percent = threshold_for(result, 0.01)
    body = [["none, on ordinary prompts", str(len(ordinary.rows)),
             percent(share(ordinary.techniques(threshold) == NONE)),
             percent(share(ordinary.techniques(at_one_percent) == NONE))]]  # fmt: skip
    for code in range(1, len(TEXT_TECHNIQUES)):
        mine = result.where(lambda row, code=code: row.technique == code)  # type: ignore[misc]
        if mine.rows:
            body.append([TEXT_TECHNIQUES[code], str(len(mine.rows)), percent(share(mine.techniques(threshold) == code)),
                         percent(share(mine.techniques(at_one_percent) == code))])  # fmt: skip
    return table(["truth", "prompts", "found at the shipped threshold", "found at 1 % false positives"], body)


def by_language(result: Scored, threshold: float) -> str:
    body = []
    for language in sorted({row.language for row in result.rows}):
        mine = result.where(lambda row, language=language: row.language == language)  # type: ignore[misc]
        ordinary = mine.where(lambda row: row.is_benign)
        asked = mine.where(lambda row: row.technique > NONE)
        truth = np.array([row.technique for row in asked.rows])
        known = mine.where(lambda row: row.capability != NO_LABEL)
        right = known.of_capability.argmax(axis=1) == np.array([row.capability for row in known.rows])
        body.append([language, str(len(ordinary.rows)), percent(share(ordinary.techniques(threshold) != NONE)),
                     str(len(asked.rows)), percent(share(asked.techniques(threshold) == truth)),
                     str(len(known.rows)), percent(share(right))])  # fmt: skip
    return table(
        [
            "language",
            "ordinary",
            "of these flagged",
            "technique",
            "of these found",
            "capability known",
            "of these right",
        ],
        [line for line in body if int(line[1]) + int(line[3]) + int(line[5]) >= 20],
    )


def capability_table(result: Scored) -> str:
    known = result.where(lambda row: row.capability != NO_LABEL)
    truth = np.array([row.capability for row in known.rows])
    given = known.of_capability.argmax(axis=1)
    body = []
    for code in np.unique(truth):
        mine = truth == code
        wrong = np.bincount(given[mine & (given != code)], minlength=len(CAPABILITIES))
        most = CAPABILITIES[int(wrong.argmax())] if wrong.any() else "-"
        precision = share(truth[given == code] == code)
        body.append(
            [
                CAPABILITIES[code],
                str(mine.sum()),
                percent(share(given[mine] == code)),
                percent(precision),
                most,
            ]
        )
    macro = f1_score(truth, given, average="macro", labels=np.unique(truth), zero_division=0)
    lines = table(["truth", "prompts", "recall", "precision", "most often mistaken for"], body)
    return f"{lines}\n\nAccuracy {percent(share(truth == given))}, macro-F1 {macro:.3f} over {len(body)} capabilities."


def figures(model: Classifier, tuned: Scored, reported: Scored, held: Scored) -> str:
    held_pools = ", ".join(f"`{pool}`" for pool in REPORTED)
    size_kb = WEIGHTS_FILE.stat().st_size / 1000
    parts = [
        f"Version {model.version}: {model.weights.shape[0]} buckets, {model.weights.shape[1]} outputs, "
        f"{size_kb:.0f} kB, technique threshold {model.threshold}.",
        f"### Sources held out of training and tuning\n\n{held_pools}.",
        technique_summary(reported, model.threshold),
        "Technique given by source:",
        by_source(reported, model.threshold),
        "Capability:",
        capability_table(reported),
        "By language:",
        by_language(reported, model.threshold),
        "### Frames of our own that were not trained on, around prompts of the held-out sources",
        technique_summary(held, model.threshold),
        capability_table(held),
        by_language(held, model.threshold),
        "### Cross-validation inside the training sources\n\nEach fold is scored by a model that saw none of its "
        "sources. The threshold was chosen here, so the share of false positives below is not a forecast.",
        technique_summary(tuned, model.threshold),
        by_source(tuned, model.threshold),
        capability_table(tuned),
    ]
    return "\n\n".join(parts)


def write_card(text: str) -> None:
    card = CARD_FILE.read_text(encoding="utf-8")
    start, end = "<!-- figures: written by tools/train_classifier.py -->", "<!-- end of figures -->"
    before, after = card.split(start)[0], card.split(end)[1]
    CARD_FILE.write_text(f"{before}{start}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def read_pools(folder: Path, *, rows_per_source: int = ROWS_PER_SOURCE) -> dict[str, list[Row]]:
    wanted = {pool for fold in FOLDS for pool in fold} | set(REPORTED)
    paths = sorted(path for path in folder.glob("*.parquet") if path.stem in wanted)
    return {path.stem: read_pool(path, rows_per_source=rows_per_source) for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("pools", type=Path, help="folder of prompt pools in Parquet")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="where the weights go")
    parser.add_argument("--rows-per-source", type=int, default=ROWS_PER_SOURCE)
    parser.add_argument(
        "--frames", type=int, default=400, help="rows of each technique from our English frames"
    )
    parser.add_argument("--no-card", action="store_true", help="leave docs/reference/classifier.md as it is")
    arguments = parser.parse_args()
    pools = read_pools(arguments.pools, rows_per_source=arguments.rows_per_source)
    with threadpool_limits(limits=1):  # sums in one order, so that the same pools give the same bytes
        model, tuned = train(pools, english=arguments.frames, other=max(2, arguments.frames // 4))
    save(model, arguments.out)
    if arguments.no_card:
        print(f"{arguments.out.name}: threshold {model.threshold}, {arguments.out.stat().st_size} bytes")
        return
    report_rows = [row for pool in REPORTED for row in pools.get(pool, ())]
    reported = scored(model, report_rows)
    every = with_frames(report_rows, part="held", seed=SEED + 1, english=100, other=40)
    held = scored(model, every[len(report_rows) :])
    text = figures(model, tuned, reported, held)
    write_card(text)
    print(text)


if __name__ == "__main__":
    main()
