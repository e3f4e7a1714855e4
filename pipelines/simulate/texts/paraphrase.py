"""A rewriter by rule: what a language model does to an instruction so that no two requests look alike.

Here: `paraphrased`, which changes words, order, openings and endings of texts, differently for each
request, and leaves line breaks, tags, keys and headings alone (the output contract survives a rewriter).
Not here: the words it chooses from (corpus/rewriting/paraphrase.toml and, for whole sentences, the other
ways in which the corpus gives the same order), who rewrites (campaigns).
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.simulate.texts.grammar import LANGUAGES, Rng, load_rules
from pipelines.simulate.texts.promise import Indices
from pipelines.simulate.texts.splits import sides

_SCRIPTS = {
    "ja": "[ぁ-ヿ]",
    "ko": "[가-힣]",
    "zh": "[一-鿿]",
    "ru": "[а-яё]",
    "ar": "[ء-ي]",
    "hi": "[ऀ-ॿ]",
}
"""Scripts that tell a language; the first that is there wins (Japanese has Chinese signs, too)."""
_STOPWORDS = {
    "en": "the|and|you|of|to|is|with|your|it|in|for|what|that|this|how|or|are",
    "de": "und|der|die|das|nicht|du|den|mit|ein|eine|was|wie|zu|ist|auf|dann|nur|es",
    "fr": "les|des|une|est|et|pour|tu|la|le|que|qui|en|dans|puis|ce|tes|toutes|du|avec",
    "es": "los|las|una|que|con|para|el|y|es|en|lo|la|tus|luego|cada|todas|solo|después",
    "it": "il|che|della|gli|sono|una|di|per|e|in|la|le|poi|i|tue|ogni|tutte|prima|con",
    "pt": "você|não|uma|os|com|depois|em|das|e|que|o|as|suas|cada|todas|só|para|por",
}
"""Words that tell languages in Latin script; the most frequent win, English where none is there."""
_UNSPACED = ("zh", "ja")
_FRAMES = 64
"""More distinct texts than this are not a campaign's frames but whole requests."""
_SENTENCE = {True: r"[^\n。<>{}\[\]\"“”=]+。", False: r"[^\s.!?<>{}\[\]\"=|:#][^\n.!?<>{}\[\]\"=|:#]*[.!?]"}
"""A sentence free of anything that belongs to an output contract; by whether the language has no spaces."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What one language offers a rewriter."""

    synonyms: tuple[tuple[str, ...], ...]
    """Groups of words that may stand for each other."""
    openings: tuple[str, ...]
    endings: tuple[str, ...]


def paraphrased(texts: pa.Array, rng: Rng, *, strength: float) -> pa.Array:
    """Every text in other words, each time another way; the empty text stays empty.

    Parameters
    ----------
    texts : string array, shape (n,); fixed words around items, or whole requests
    strength : 0 to 1; share of the words known to the rewriter that change, and of texts that get an
        opening, an ending or another order of sentences. At 0 nothing changes.

    Raises
    ------
    ValueError : strength is not between 0 and 1.
    """
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength {strength} is not between 0 and 1")
    if len(texts) == 0 or strength == 0.0:
        return texts
    coded = texts.cast(pa.string()).dictionary_encode()
    known = coded.dictionary
    text = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    language = languages_of(known)
    n_ways = 512 if len(known) <= 8 else 48
    pairs, pair = np.unique(text * n_ways + rng.integers(0, n_ways, len(text)), return_inverse=True)
    bodies = _rewritten(known, language, pairs // n_ways, pairs % n_ways, strength, rng)
    return _wrapped(bodies.take(pa.array(pair)), language[text], strength, rng)


def languages_of(texts: pa.Array) -> Indices:
    """Language of each text: its index in the order of `wordings()`; English where nothing else shows."""
    names = list(wordings())
    counts = [
        pc.count_substring_regex(texts, rf"(?i)(?:^|[^\pL])(?:{words})(?:[^\pL]|$)").to_numpy()
        for words in _STOPWORDS.values()
    ]
    latin = np.array([names.index(name) for name in _STOPWORDS])
    language: Indices = latin[np.argmax(np.stack(counts), axis=0)]
    for name, pattern in reversed(_SCRIPTS.items()):
        language[pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)] = names.index(name)
    return language


def _rewritten(
    known: pa.Array, language: Indices, text: Indices, way: Indices, strength: float, rng: Rng
) -> pa.Array:
    """Texts in given ways: the same way of the same text reads the same."""
    group = way * len(wordings()) + language[text]
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    said = _resaid(known, text, strength, rng)
    words = list(wordings().items())
    chunks = []
    for first, last in zip(starts, np.append(starts[1:], len(order)), strict=True):
        rows = order[first:last]
        name, wording = words[int(group[rows[0]]) % len(words)]
        chunk = said.take(pa.array(rows))
        for pattern, replacement in _edits(name, wording, strength, rng):
            chunk = pc.replace_substring_regex(chunk, pattern, replacement)
        chunks.append(chunk)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return pa.concat_arrays(chunks).take(pa.array(place))


def _resaid(known: pa.Array, text: Indices, strength: float, rng: Rng) -> pa.Array:
    """Whole orders given in the other words that the corpus has for them, where the texts are few frames."""
    if len(known) > _FRAMES:
        return known.take(pa.array(text))
    frames = known.to_pylist()
    found = [[old for old in siblings() if old in frame] for frame in frames]
    said = []
    for number in text.tolist():
        words = frames[number]
        for old in found[number]:
            if rng.random() < strength:
                others = siblings()[old]
                words = words.replace(old, others[int(rng.integers(len(others)))])
        said.append(words)
    return pa.array(said, pa.string())


@cache
def siblings() -> dict[str, tuple[str, ...]]:
    """Sentences of the corpus that ask for the same, by sentence; each stays on its side of the split."""
    same: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        for rule, texts in load_rules(language).items():
            if "order" not in rule.split("_") and "role" not in rule.split("_"):
                continue
            side = sides(texts)
            plain = [text for text in texts if "{" not in text]
            for text in plain:
                same[text] = tuple(other for other in plain if side.get(other) == side.get(text))
    return same


def _edits(name: str, wording: Wording, strength: float, rng: Rng) -> list[tuple[str, str]]:
    """What one way of rewriting does, in order: some words change, then some sentences change places."""
    unspaced = name in _UNSPACED
    edits = []
    for group in wording.synonyms:
        if rng.random() >= strength:
            continue
        new = group[int(rng.integers(len(group)))]
        old = "|".join(sorted((word for word in group if word != new), key=len, reverse=True))
        # Between spaces or before punctuation: tags, keys and headings have other neighbours.
        edits.append(
            (f"({old})", new) if unspaced else (rf"(^|[\s(])(?:{old})([\s,.;:!?)]|$)", rf"\1{new}\2")
        )
    sentence = _SENTENCE[unspaced]
    gap = "" if unspaced else " "
    if rng.random() < strength:
        swaps = ((2, 1, 3), (1, 3, 2), (3, 1, 2), (2, 3, 1))
        one, two, three = swaps[int(rng.integers(len(swaps)))]
        edits.append((rf"({sentence}){gap}({sentence}){gap}({sentence})", rf"\{one}{gap}\{two}{gap}\{three}"))
    elif rng.random() < strength:
        edits.append((rf"({sentence}){gap}({sentence})", rf"\2{gap}\1"))
    return edits


def _wrapped(bodies: pa.Array, language: Indices, strength: float, rng: Rng) -> pa.Array:
    """Openings and endings, drawn for each row; only where a sentence begins or ends."""
    n = len(bodies)
    words = list(wordings().items())
    begins = pc.match_substring_regex(bodies, r"^\s*\p{L}").to_numpy(zero_copy_only=False)
    ends = pc.match_substring_regex(bodies, r"[.!?。।]\s*$").to_numpy(zero_copy_only=False)
    lead = pc.extract_regex(bodies, r"^(?P<lead>\s*)(?P<body>(?s:.*?))(?P<tail>\s*)$")
    columns = [pc.struct_field(lead, field) for field in ("lead", "body", "tail")]
    opening = _drawn(
        [[text + ("" if name in _UNSPACED else " ") for text in wording.openings] for name, wording in words],
        language,
        begins & (rng.random(n) < strength),
        rng,
    )
    ending = _drawn(
        [[("" if name in _UNSPACED else " ") + text for text in wording.endings] for name, wording in words],
        language,
        ends & (rng.random(n) < strength),
        rng,
    )
    return pc.binary_join_element_wise(columns[0], opening, columns[1], ending, columns[2], "")


def _drawn(choices: Sequence[list[str]], language: Indices, wanted: Indices, rng: Rng) -> pa.Array:
    """One of the choices of each row's language, or nothing where it is not wanted."""
    sizes = np.array([len(texts) for texts in choices])
    first = np.concatenate(([1], 1 + np.cumsum(sizes)[:-1]))
    flat = pa.array(["", *(text for texts in choices for text in texts)], pa.string())
    row = first[language] + (rng.random(len(language)) * sizes[language]).astype(np.int64)
    return flat.take(pa.array(np.where(wanted, row, 0)))


@cache
def wordings() -> dict[str, Wording]:
    """What the rewriter may say, by language."""
    path = files("pipelines.simulate.texts").joinpath("corpus", "rewriting", "paraphrase.toml")
    raw = tomllib.loads(path.read_text("utf-8"))
    return {
        name: Wording(
            tuple(tuple(group) for group in entry["synonyms"]),
            tuple(entry["openings"]),
            tuple(entry["endings"]),
        )
        for name, entry in raw.items()
    }
