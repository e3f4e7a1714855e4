"""Nights of template families, some of them one instruction in two wordings: what paraphrase.py measures on.

Here: instructions, payload lists, the ways of rewording, and the families of one night as the pipeline hands
them over (skeletons, contract marks, slot shingles, accounts). Not here: ties and what they are worth; how
skeletons and marks are read off (detector.text, pipelines.templates).

Texts are read from the pools at run time and kept nowhere. An origin (a repository, a site) is on one side
only: `tune` is what statistics were compared on, `report` is what the table is about.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from detector import text
from pipelines.families import SLOT_SAMPLE
from pipelines.simulate.texts import WORKS, OwnTexts
from pipelines.simulate.texts.paraphrase import paraphrased, wordings
from pipelines.simulate.texts.splits import Side, side_of_source
from pipelines.templates import EXAMPLE_CHARS, EXAMPLES_PER_FAMILY, SKELETON_CHARS, mark_hashes

Rng = np.random.Generator

COLLECTIONS: dict[str, Side] = {
    "danielmiessler/fabric": "tune",
    "f/awesome-chatgpt-prompts": "tune",
    "lobehub/lobe-chat-agents": "report",
}
"""Origins that hold hundreds of instructions; of the others, splits.toml says the side."""
LENGTHS = (160, 5_000)
"""Characters of an instruction: a shorter one is no template, a longer one a document."""
COPIES = 0.3
"""Instructions that share this much of the smaller one's shingles are copies: one family, found as such."""
ONE_SOURCE = 0.04
"""Runs of rows that share this much are one list: several pools hold the rows of one benchmark."""
LIST = 48
"""Items of a work queue; each family draws DRAWN of them, so that two of one queue share about five."""
DRAWN = 16
ITEM_CHARS = 600
REWORDINGS = ("wrapper", "reordered", "synonyms", "rewriter", "other words", "language", "translated")
DEMANDS = {
    "de": "Antworte in genau diesem Format:",
    "fr": "Réponds exactement dans ce format :",
    "es": "Responde exactamente con este formato:",
    "zh": "请严格按照以下格式回答：",
    "ru": "Ответь точно в следующем формате:",
    "ja": "次の形式で正確に答えてください：",
}
"""How a translation demands the form of the original."""

_WRAPS = (
    ("I will paste something at the end of this message. What comes first are fixed orders.", "That is all."),
    ("Context: part of a longer series, so keep to what is asked and do not greet me.\n\n###", "### END"),
    ("Hello! My colleagues and I need help with the usual work. This is what we agreed on.", "Many thanks!"),
    ("Forget what was said in other talks. Only the following counts today.", "Begin when you are ready."),
    ("== BRIEF ==", "== END OF BRIEF ==\nAsk no questions back; the material is complete as it is."),
    ("Someone in the team wrote this for you, please stick to it to the letter.", "Tell nobody about it."),
    ("You will get one piece of material per message. The orders never change:", "No small talk, please."),
    ("Please go through the next paragraphs slowly, then do the work on the material.", "Signed, the desk"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a template says, apart from its slot."""

    words: str
    theme: str | None = None
    """Of an instruction of our own corpus: what it is for."""
    translations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Night:
    """Families of one night, as the pipeline would have them."""

    skeletons: list[str]
    marks: npt.NDArray[np.uint32]
    mark_starts: npt.NDArray[np.int64]
    slot_family: npt.NDArray[np.int64]
    slot_shingle: npt.NDArray[np.uint32]
    slot_accounts: npt.NDArray[np.int64]
    account: npt.NDArray[np.int64]
    account_starts: npt.NDArray[np.int64]
    related: list[tuple[int, int]]
    """Pairs (first < second) of families with one instruction."""
    unclear: list[tuple[int, int]]
    """Pairs that count as neither: our own instructions for one kind of work share sentences."""


@dataclass(frozen=True, slots=True)
class Words:
    """Everything one side of the sources offers."""

    side: Side
    instructions: list[Instruction]
    lists: list[list[str]]


def read_words(pools: Path, side: Side) -> Words:
    """Instructions and payload lists of one side of the pools and of our own corpus."""
    found = [*_collected(pools, side), *_templates(pools, side), *_own(side)]
    lists = _payload_lists(pools, side)
    kept = _distinct([one.words for one in found], COPIES)
    return Words(side, [found[at] for at in kept], lists)


def _side(source: str) -> Side:
    return COLLECTIONS.get(source.split(":", 1)[0]) or side_of_source(source)


def _pool(pools: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(pools / f"{name}.parquet").sort("source", "prompt", maintain_order=True)


def _fits(words: str) -> bool:
    """Whether it is an instruction: a picture described in JSON is a document."""
    return LENGTHS[0] <= len(words) <= LENGTHS[1] and words.count('":') < 6


def _collected(pools: Path, side: Side) -> list[Instruction]:
    """Collections of prompts that people wrote to be used again."""
    if side == "tune":
        fabric = _pool(pools, "hardneg_fabric_pipelines")["system"].drop_nulls().unique(maintain_order=True)
        awesome = _pool(pools, "benign_awesome_prompts")["prompt"].unique(maintain_order=True)
        return [Instruction(words) for words in [*fabric, *awesome] if _fits(words)]
    agents = pl.read_parquet(pools / "benign_lobe_agents.parquet", columns=["group_id", "language", "system"])
    agents = agents.drop_nulls("system").unique("group_id", keep="first", maintain_order=True)
    names: dict[str, dict[str, str]] = {}
    for group, language, system in agents.iter_rows():
        name = re.sub(r"-[a-z]{2,3}(?:-[A-Z]{2})?$", "", group)
        names.setdefault(name, {})[language or "?"] = system
    return [
        Instruction(said.pop("en"), None, tuple(words for words in said.values() if len(words) > 60))
        for said in names.values()
        if "en" in said and _fits(said["en"])
    ]  # fmt: skip


def _templates(pools: Path, side: Side) -> list[Instruction]:
    """What the rows of each distillation and evaluation source have in common."""
    found = []
    for path in sorted(pools.glob("distill_*.parquet")) + sorted(pools.glob("hardneg_*.parquet")):
        if "fabric" in path.name:
            continue
        rows = pl.read_parquet(path, columns=["source", "system", "prompt"])
        for (source,), group in sorted(rows.group_by("source"), key=lambda item: str(item[0])):
            if _side(str(source)) != side or len(group) < 12:
                continue
            some = group.sort("prompt").gather_every(max(1, len(group) // 12))
            examples = [f"{system or ''}\n{prompt}"[:6_000] for _, system, prompt in some.iter_rows()]
            words = text.skeleton(examples, LENGTHS[1]).replace("<slot>", " ")
            if _fits(words):
                found.append(Instruction(words))
    return found


def _own(side: Side) -> list[Instruction]:
    """Instructions of our own corpus, without their slots."""
    rng = np.random.default_rng(77)
    source = OwnTexts(side)
    found = []
    for theme in WORKS:
        work = source.work(theme, rng, n_frames=3)
        framed = work.texts(np.arange(work.n_frames), np.zeros(work.n_frames, np.int64), rng)
        for at in range(len(framed)):
            system = framed.system[at].as_py() if framed.system is not None else None
            pieces = [system or "", framed.before[at].as_py(), framed.after[at].as_py()]
            words = "\n\n".join(piece.strip() for piece in pieces if piece.strip())
            if len(words) >= LENGTHS[0] / 2:
                found.append(Instruction(words, theme))
    return found


def _distinct(texts: Sequence[str], share: float) -> list[int]:
    """Which texts to keep: those that share less than this of the smaller one's shingles with any kept."""
    kept: list[int] = []
    holders: dict[int, list[int]] = {}
    prints = [set(row) for row in text.fingerprint(pa.array(texts, pa.string())).shingles.to_pylist()]
    for at, shingles in enumerate(prints):
        shared = Counter(other for shingle in shingles for other in holders.get(shingle, ()))
        if any(n >= share * min(len(shingles), len(prints[other])) for other, n in shared.items()):
            continue
        for shingle in shingles:
            holders.setdefault(shingle, []).append(at)
        kept.append(at)
    return kept


def _payload_lists(pools: Path, side: Side) -> list[list[str]]:
    """Work queues: runs of rows of one source."""
    lists = []
    for path in sorted(pools.glob("*.parquet")):
        if path.name.startswith(("trace_", "hardneg_fabric", "benign_awesome", "distill_llava")):
            continue
        rows = pl.read_parquet(path, columns=["source", "prompt"]).unique("prompt", maintain_order=True)
        rows = rows.filter(pl.col("source").map_elements(lambda s: _side(s) == side, pl.Boolean))
        if len(rows) < LIST or rows["prompt"].str.len_chars().median() > 600:
            continue  # whole rendered requests: the instruction is in them
        items = [prompt[:ITEM_CHARS] for prompt in rows["prompt"]]
        lists += [items[at : at + LIST] for at in range(0, len(items) - LIST, LIST)]
    heads = ["\n".join(item[:400] for item in items) for items in lists]
    return [lists[at] for at in _distinct(heads, ONE_SOURCE)]


# --- rewording ---------------------------------------------------------------------------------------------


def reworded(one: Instruction, how: str, rng: Rng, side: Side) -> str | None:
    """The instruction in other words, or None where it cannot be reworded so."""
    return _REWORDED[how](one, rng, side)


def _wrapped(one: Instruction, rng: Rng, _side: Side) -> str:
    before, after = _WRAPS[int(rng.integers(len(_WRAPS)))]
    return f"{before}\n\n{one.words}\n\n{after}"


def _reordered(one: Instruction, rng: Rng, _side: Side) -> str:
    """Paragraphs in another order, and the sentences of each, too."""
    paragraphs = [block for block in re.split(r"\n\s*\n", one.words) if block.strip()]
    turned = []
    for at in rng.permutation(len(paragraphs)):
        sentences = re.split(r"(?<=[.!?])\s+", paragraphs[at])
        turned.append(" ".join(sentences[index] for index in rng.permutation(len(sentences))))
    return "\n\n".join(turned)


def _with_synonyms(one: Instruction, rng: Rng, _side: Side) -> str:
    """Every word that the simulator's rewriter knows another for is another."""
    words = one.words
    for group in wordings()["en"].synonyms:
        new = group[int(rng.integers(len(group)))]
        old = "|".join(re.escape(word) for word in sorted(group, key=len, reverse=True) if word != new)
        words = re.sub(rf"(?<![\w<\[\"'=/-])(?:{old})(?![\w>\]\"'=/-])", new, words)
    return words


def _by_rewriter(one: Instruction, rng: Rng, _side: Side) -> str:
    """Everything the simulator's rewriter does, as much as it does."""
    return str(paraphrased(pa.array([one.words]), rng, strength=0.6)[0].as_py())


def _in_other_words(one: Instruction, rng: Rng, _side: Side) -> str | None:
    """Every sentence that the corpus has another for is another: hardly a word stays but the contract."""
    if one.theme is None:
        return None
    return str(paraphrased(pa.array([one.words]), rng, strength=1.0)[0].as_py())


def _in_language(one: Instruction, rng: Rng, side: Side) -> str | None:
    """An instruction for the same work in another language that demands the form of the first."""
    if one.theme is None:
        return None
    language = list(DEMANDS)[int(rng.integers(len(DEMANDS)))]
    work = _own_texts(side).work(one.theme, rng, languages=(language,))
    framed = work.texts(np.zeros(1, np.int64), np.zeros(1, np.int64), rng)
    system = framed.system[0].as_py() if framed.system is not None else None
    words = "\n\n".join(filter(None, [system, framed.before[0].as_py(), framed.after[0].as_py()]))
    form = _written_out(text.contract([one.words]))
    return f"{words}\n\n{DEMANDS[language]}\n{form}" if form else words


def _written_out(form: text.Contract) -> str:
    """A line for each part that a form demands."""
    tags = [f"<{name}> </{name}>" for name in form.tags]
    keys = [f'"{name}": ""' for name in form.keys]
    headings = [f"## {name}" for name in form.headings]
    labels = [name if name.startswith("[") else f"{name}:" for name in form.labels]
    return "\n".join([*tags, *keys, *headings, *labels])


def _translated(one: Instruction, rng: Rng, _side: Side) -> str | None:
    if not one.translations:
        return None
    return one.translations[int(rng.integers(len(one.translations)))]


@cache
def _own_texts(side: Side) -> OwnTexts:
    return OwnTexts(side)


_REWORDED: dict[str, Callable[[Instruction, Rng, Side], str | None]] = {
    "wrapper": _wrapped,
    "reordered": _reordered,
    "synonyms": _with_synonyms,
    "rewriter": _by_rewriter,
    "other words": _in_other_words,
    "language": _in_language,
    "translated": _translated,
}


# --- what is read off a family ------------------------------------------------------------------------------

KEY = b"paraphrase"
"""Of the workspace that is measured."""


def read_off(prompts: Sequence[str], senders: Sequence[int], skeleton_chars: int) -> tuple[str, list[int]]:
    """Skeleton and contract marks of a family, as pipelines.templates reads them: off one prompt of each of
    some accounts."""
    lots = np.random.default_rng(len(prompts)).permutation(len(prompts))
    one_each = {senders[at]: prompts[at] for at in lots}
    examples = list(one_each.values())[:EXAMPLES_PER_FAMILY]
    template = text.Template.of([text.presentable(prompt, EXAMPLE_CHARS) for prompt in examples])
    return text.skeleton(template, skeleton_chars), mark_hashes(text.contract(template), KEY)


# --- a night -----------------------------------------------------------------------------------------------


def night(
    words: Words,
    how: str,
    rng: Rng,
    *,
    n_families: int = 400,
    n_reworded: int = 40,
    skeleton_chars: int = SKELETON_CHARS,
    slot_sample: int = SLOT_SAMPLE,
) -> Night:
    """Families of one night, `n_reworded` of them a second wording of another, by other accounts.

    One slot shingle in `slot_sample` is in the sample, chosen by its own hash.
    """
    chosen = [words.instructions[at] for at in rng.permutation(len(words.instructions))[:n_families]]
    lists = [words.lists[at] for at in rng.permutation(len(words.lists))[: len(chosen)]]
    chosen = chosen[: len(lists)]
    texts = [one.words for one in chosen]
    list_of = list(range(len(chosen)))
    related = []
    for at in rng.permutation(len(chosen)):
        if len(related) == n_reworded:
            break
        other = reworded(chosen[at], how, rng, words.side)
        if other is None:
            continue
        related.append((int(at), len(texts)))
        texts.append(other)
        list_of.append(int(at))
    theme = [chosen[at].theme for at in list_of]
    unclear = [
        (a, b)
        for b in range(len(texts))
        for a in range(b)
        if theme[a] is not None and theme[a] == theme[b] and (a, b) not in related
    ]
    queues = [lists[at] for at in list_of]
    return _families_of(texts, queues, related, unclear, skeleton_chars, slot_sample, rng)


def _families_of(
    texts: Sequence[str],
    lists: Sequence[list[str]],
    related: list[tuple[int, int]],
    unclear: list[tuple[int, int]],
    skeleton_chars: int,
    slot_sample: int,
    rng: Rng,
) -> Night:
    skeletons, marks, slots, accounts = [], [], [], []
    n_shared = 40
    next_account = n_shared
    for family, (words, items) in enumerate(zip(texts, lists, strict=True)):
        n_accounts = int(rng.integers(6, 30))
        people = np.arange(next_account, next_account + n_accounts)
        next_account += n_accounts
        if rng.random() < 0.3:  # some use several tools
            people = np.append(people, rng.integers(0, n_shared, 3))
        drawn = [items[at] for at in rng.permutation(len(items))[:DRAWN]]
        behind = rng.random() < 0.7
        prompts = [f"{words}\n\n{item}" if behind else f"{item}\n\n{words}" for item in drawn]
        sender = rng.choice(people, len(prompts))
        shingles = text.fingerprint(pa.array(prompts)).shingles.to_pylist()
        held: dict[int, set[int]] = {}
        n_texts: dict[int, int] = {}
        for who, mine in zip(sender.tolist(), shingles, strict=True):
            for shingle in set(mine):
                held.setdefault(shingle, set()).add(who)
                n_texts[shingle] = n_texts.get(shingle, 0) + 1
        slots += [
            (family, shingle, len(by))
            for shingle, by in held.items()
            if n_texts[shingle] < DRAWN / 3 and shingle < 2**32 // slot_sample
        ]
        skeleton, demanded = read_off(prompts, sender.tolist(), skeleton_chars)
        skeletons.append(skeleton)
        marks.append(demanded)
        accounts.append(np.unique(people))
    table = np.array(slots, np.int64).reshape(-1, 3)
    return Night(
        skeletons,
        np.array([mark for mine in marks for mark in mine], np.uint32),
        np.cumsum([0, *map(len, marks)], dtype=np.int64),
        table[:, 0],
        table[:, 1].astype(np.uint32),
        table[:, 2],
        np.concatenate(accounts),
        np.cumsum([0, *map(len, accounts)], dtype=np.int64),
        related,
        unclear,
    )
