"""Labelled rows of the pools of real prompts: which are trained on, which reported on, what each shows.

Here: the folds, the label rules (reasons: docs/reference/classifier.md), reading. Not here: frames written
by us (frames), fitting.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from detector.text.vocabulary import CAPABILITIES, TEXT_TECHNIQUES

ROWS_PER_POOL = 900
TRAINED_ROWS_PER_POOL = 300
"""Reported on, and trained on. A set that is large should not count for more: its rows are alike. Shared
evenly by its sources."""

FOLDS: tuple[tuple[str, ...], ...] = (
    ("distill_self_instruct", "distill_alpaca_template", "benign_user_oriented_252"),
    ("distill_metamath", "hardneg_gsm8k_harness"),
    ("distill_prometheus", "hardneg_mt_bench"),
    ("distill_screenagent", "benign_banking77"),
    ("distill_camel", "benign_wildchat"),
    ("distill_gpteacher", "hardneg_bfcl"),
    ("distill_llava", "benign_oasst_zh"),
    ("benign_awesome_prompts", "hardneg_code_review"),
    ("benign_lobe_agents",),
    ("hardneg_fabric_pipelines",),
)
"""Trained and tuned on. Sets that share questions or seeds stand in one fold; a fold is small, so that the
models that score it, and give the thresholds, know nearly all that the shipped one knows."""

REPORTED = (
    "hardneg_arena_hard", "hardneg_arena_hard_judge", "distill_dsgym_datamind", "hardneg_dabstep",
    "distill_oss_instruct", "distill_fireact", "distill_toolbench", "hardneg_humaneval", "benign_oasst_eval",
    "benign_swe_agent",
)  # fmt: skip
"""Never trained or tuned on."""

COLLECTIONS = ("benign_awesome_prompts", "benign_lobe_agents", "hardneg_fabric_pipelines")
"""Prompts that people collected: one kind of ordinary use, and its hardest. In a log most requests are
not of it."""

NO_LABEL = -1
NONE = 0

# What a request shows, by pool, or by the part of the source's name after the colon. A pool that is not
# listed shows no technique. None: the same text is ordinary use or recorded for training, as the sender
# likes, so it can teach neither.
TECHNIQUE_OF: dict[str, str | None] = {
    "distill_self_instruct": "instruction_generation",
    "distill_alpaca_template": "instruction_generation",
    "distill_camel": "instruction_generation",
    "distill_oss_instruct": "instruction_generation",
    "distill_llava": "instruction_generation",
    "qa_90": None,
    "distill_prometheus": "preference_labels",
    "hardneg_arena_hard_judge": "preference_labels",
    "judge_output": "preference_labels", "rate_ai_response": "preference_labels",
    "rate_ai_result": "preference_labels",
    "distill_metamath": "reasoning_trace",
    "hardneg_gsm8k_harness": "reasoning_trace",
    "solve_with_cot": "reasoning_trace",
    "rephrase": "instruction_generation",
    "hotpotqa_cot": "reasoning_trace", "mmlu_cot": "reasoning_trace", "strategyqa_cot": "reasoning_trace",
    "distill_fireact": "trajectory",
    "distill_screenagent": "trajectory",
    "neg_eval": "preference_labels",
    "distill_dsgym_datamind": "trajectory",
    "dsgym_query_synthesis": "instruction_generation",
    "distill_toolbench": "trajectory",
    "query_examples": None,
    "benign_swe_agent": None,
}  # fmt: skip

# Where a pool's own column does not say what its text asks for.
CAPABILITY_OF: dict[str, str | None] = {
    "benign_banking77": "general_chat",  # the question of a customer; no one asks to have it classified
    "neg_eval": "rubric_grading",
    "roleplay": "creative_writing",
}
CAPABILITY_OF_TECHNIQUE = {
    "preference_labels": "rubric_grading",
    "safety_rewrite": "safety_sensitive",
    "trajectory": "agentic",
}

ONE_SOURCE = ("benign_banking77", "hardneg_fabric_pipelines")
"""Pools whose sources are topics of one set."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled request. Labels are positions in CAPABILITIES and TEXT_TECHNIQUES, or NO_LABEL."""

    system: str
    """Empty where the request has none."""
    text: str
    """The prompt."""
    pool: str
    source: str
    language: str
    capability: int
    technique: int
    is_benign: bool


def read_pools(folder: Path, wanted: Iterable[str], *, rows_per_pool: int) -> dict[str, list[Row]]:
    """The rows of every pool that is wanted and that the folder holds."""
    names = set(wanted)
    paths = sorted(path for path in folder.glob("*.parquet") if path.stem in names)
    return {path.stem: read_pool(path, rows_per_pool=rows_per_pool) for path in paths}


def read_pool(path: Path, *, rows_per_pool: int) -> list[Row]:
    """The rows of one pool, at most so many of each source, in an order that no file order changes.

    A file without a `system` column is one without system prompts.
    """
    columns = ["source", "kind", "capability", "system", "prompt", "language"]
    columns = [name for name in columns if name in pq.read_schema(path).names]
    chosen: dict[str, list[tuple[bytes, Row]]] = {}
    pool = path.stem
    for item in pq.read_table(path, columns=columns).to_pylist():
        if not item["prompt"]:
            continue
        row = labelled(pool, item)
        key = hashlib.sha256(f"{row.text}\0{row.system}".encode()).digest()
        chosen.setdefault(row.source, []).append((key, row))
    rows_per_source = max(20, rows_per_pool // max(1, len(chosen)))
    return [
        row
        for source in sorted(chosen)
        for _, row in sorted(chosen[source], key=lambda pair: pair[0])[:rows_per_source]
    ]


def labelled(pool: str, item: dict[str, Any]) -> Row:
    part = item["source"].rpartition(":")[2]
    technique = TECHNIQUE_OF.get(part, TECHNIQUE_OF.get(pool, "none"))
    named = CAPABILITY_OF.get(item["capability"], item["capability"])
    capability = CAPABILITY_OF.get(part, CAPABILITY_OF.get(pool, named))
    return Row(
        system=item.get("system") or "",
        text=item["prompt"],
        pool=pool,
        source=pool if pool in ONE_SOURCE else item["source"],
        language=item["language"] or "unknown",
        capability=NO_LABEL if capability is None else CAPABILITIES.index(capability),
        technique=NO_LABEL if technique is None else TEXT_TECHNIQUES.index(technique),
        is_benign=item["kind"] != "distillation" and technique == "none",
    )


def rows_of(pools: dict[str, list[Row]], folds: Iterable[tuple[str, ...]]) -> list[Row]:
    return [row for fold in folds for pool in fold for row in pools.get(pool, ())]
