"""The readable form of a template: its fixed words, and for each slot the kind of thing that fills it.

Here: strings in, strings out, for the few texts a person looks at. Not here: finding what is shared
(template), redaction, which texts are read (pipelines.evidence), how families are found (families).
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from detector.text.template import SHARED_BY, Template

SLOTS = ("<text>", "<number>", "<code>", "<json>")

_MOST_FILLER_CHARS = 6_000
"""Of a filler so much is looked at; JSON that goes on behind it is known by its beginning."""

_MOST_LINES = 200
_MOST_LINE_CHARS = 200

LEAST_CODE_SHARE = 0.5
"""Half the lines of code look like code: the others are comments, prose in strings, or single words."""

_LEAST_FIXED_CHARS = 24
"""A stretch of fixed text that must be shortened keeps at least so much."""

# --- the kind of a slot ------------------------------------------------------------------------------------

_NUMBER_SIGNS = re.compile(r"[\d\s.,:;/%+()*^=°′″'$€£¥₹#~<>|±×·\-\u2010-\u2015\u2212年月日时分秒時년월일]++")
_NUMBER_WORD = re.compile(
    r"\[number\]|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b|\b(?:am|pm|utc|usd|eur|gbp|cny"
    r"|k|m|bn|e|x|t|z|km|kg|cm|mm|ms|h|s|th|st|nd|rd)\b|(?<=\d)e(?=[-+]?\d)|(?<=\d)(?:am|pm|k|m|bn|e|x|t|z|km|kg|cm|mm|ms|h|s|th|st|nd|rd)\b",
    re.IGNORECASE,
)
_JSON_KEY = re.compile(r"[{,]\s{0,32}[\"'][^\"'\n]{1,64}[\"']\s{0,8}:")
_FENCE = re.compile(r"^\s*```[^\n`]{0,40}(?:\n|$)|(?:^|\n)\s*```\s*$")
_CODE_LINE = re.compile(
    r"\s*(?:"
    r"@@ |[-+]{3} [ab]/|diff --git|#include\b|#define\b|#!|//|/\*|\*/|\$ |>>> |@[A-Za-z_][\w.]{0,40}\b"
    r"|(?:async |public |private |protected |static |final |export |default |pub ){0,4}"
    r"(?:def|class|fn|func|function|interface|struct|enum|impl|namespace|package|module)\s[A-Za-z_$][\w.]{0,60}"
    r"\s{0,4}(?:[({:<;=]|extends\b|implements\b|$)"
    r"|from\s[\w.]{1,60}\simport\s|import\s(?:[\w.]{1,60}(?:\sas\s\w{1,40})?;?$|[{*(\"'@]|\w{1,40},?\s.{0,80}\bfrom\b)|using\s\w|return\b[^.?!]{0,80};?$|raise\s\w|except\b.{0,60}:$"
    r"|(?:if|elif|while|for|with|try|else|switch|catch|do)\b.{0,120}[:{]\s*$"
    r"|(?:let|const|var|val|int|float|double|char|bool|void|auto|string|String)\s[*&]{0,2}\w{1,60}\s{0,4}[=;(:{,)\[]"
    r"|(?:self|this|super)\.\w"
    r"|(?i:select\s.{1,80}\sfrom\s|insert into\s|create table\s|update\s\w{1,40}\sset\s)"
    r"|[)\]}]{1,4}[;,]?\s*$|</?[a-z][\w-]{0,20}[^>]{0,80}/?>"
    r")|.{0,160}(?:[{};]|\)\s*:|\\|->.{0,40}:|=>.{0,40}|[\w\])]\($|\(\)[,.]?)\s*$"
    r"|\s*[-+]?\s*[A-Za-z_$][\w.$\[\]\"']{0,60}(?:\s?[-+*/|&]?=\s?[^=\s]|\([^)\n]{0,120}\)[;,.:]?\s*$|\()"
)


def slot_kind(fillers: Sequence[str]) -> str:
    """Which of SLOTS fits what fills a slot: the kind of SHARED_BY of the fillers, else `<text>`."""
    kinds = Counter(_kind(filler) for filler in fillers)
    kind, n = max(kinds.items(), key=lambda item: (item[1], item[0]), default=("<text>", 0))
    return kind if n >= SHARED_BY * len(fillers) else "<text>"


def _kind(filler: str) -> str:
    filler = filler[:_MOST_FILLER_CHARS].strip()
    bare = _FENCE.sub("", filler).strip()
    if is_number(bare):
        return "<number>"
    if is_json(bare):
        return "<json>"
    return "<code>" if is_code(bare) else "<text>"


def is_number(text: str) -> bool:
    """A number, an amount, a date, a time, or a few of them: digits, their signs, units, names of months."""
    if len(text) > 160 or not (any(sign.isdecimal() for sign in text) or "[number]" in text):
        return False
    return not _NUMBER_SIGNS.sub("", _NUMBER_WORD.sub("", text))


def is_json(text: str) -> bool:
    """An object or array that parses, or looks so: cut off, with single quotes, one object a line."""
    if text[:1] not in ("{", "["):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return len(_JSON_KEY.findall(text)) >= 1


def is_code(text: str) -> bool:
    """LEAST_CODE_SHARE of the lines look like source code, a diff or a shell session.

    A line does by its keyword and shape, by how it ends (`{`, `;`, `):`), or by an assignment or a call at
    its beginning; a comment or a deep indentation counts half. Prose about code is text; so is a lone word.
    Measured on real prompts: code are 87 % of 1,973 snippets of one to fifteen lines cut out of public
    code, all of 164 functions to be completed, and under one in a hundred of 2,600 crowd-written prompts.
    """
    lines = [line[:_MOST_LINE_CHARS].rstrip() for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]]
    lines = [line for line in lines if line.strip()]
    weight = sum(
        1.0 if _CODE_LINE.match(line) else 0.5 * line.startswith(("    ", "\t", "+", "-  ", "# "))
        for line in lines
    )
    return bool(lines) and weight >= LEAST_CODE_SHARE * len(lines)


# --- the whole ---------------------------------------------------------------------------------------------


def skeleton(examples: Sequence[str] | Template, most_chars: int = 600) -> str:
    """The fixed words of a template on one line, and one of SLOTS for each place where prompts differ.

    Empty without examples; the whole text when there is but one form; one slot alone when the examples
    share nothing. Never longer than `most_chars`: long stretches of fixed text are cut in their middle
    first, so that the slots stay in sight. What a prompt itself writes as `<text>` looks the same here: see
    `skeleton_parts`.
    """
    return "".join(text for text, _ in skeleton_parts(examples, most_chars))


def skeleton_parts(examples: Sequence[str] | Template, most_chars: int = 600) -> list[tuple[str, bool]]:
    """The skeleton as (text, is it a slot): a prompt can write any sign, so none in the text tells."""
    template = Template.of(examples)
    parts: list[tuple[str, bool]] = []
    for at, piece in enumerate(template.pieces):
        if piece.is_slot:
            kind = slot_kind(piece.fillers)
            parts += [(_blank(piece.fillers, 0), False), (kind, True), (_blank(piece.fillers, -1), False)]
        else:
            gap = template.base[template.pieces[at - 1].end : piece.start] if at else ""
            parts += [(gap, False), (template.base[piece.start : piece.end], False)]
    return _fitted(_spaced(_with_objects_whole(parts, template)), most_chars)


_OPENS_OBJECT = re.compile(r"[{\[]\s{0,8}(?:\{\s{0,8})?[\"']?\s{0,8}\Z")
_CLOSES_OBJECT = re.compile(r"\s{0,8}[\"']?\s{0,8}(?:\}\s{0,8})?[}\]]")
_AROUND = 24
"""How far to look for the brackets of an object on either side of a slot."""


def _with_objects_whole(parts: list[tuple[str, bool]], template: Template) -> list[tuple[str, bool]]:
    """Brackets and quotes that all examples share belong to the slot that they make an object of."""
    parts = list(parts)
    slots = [at for at, (_, is_slot) in enumerate(parts) if is_slot]
    for at, piece in zip(slots, (piece for piece in template.pieces if piece.is_slot), strict=True):
        before = next((n for n in range(at - 1, -1, -1) if parts[n][0]), at)
        after = next((n for n in range(at + 1, len(parts)) if parts[n][0]), at)
        if parts[before][1] or parts[after][1]:
            continue
        opening = _OPENS_OBJECT.search(parts[before][0], max(len(parts[before][0]) - _AROUND, 0))
        closing = _CLOSES_OBJECT.match(parts[after][0])
        if opening is None or closing is None:
            continue
        wholes = [opening.group() + filler + closing.group() for filler in piece.fillers]
        if slot_kind(wholes) == "<json>":
            parts[before] = (parts[before][0][: opening.start()], False)
            parts[at] = ("<json>", True)
            parts[after] = (parts[after][0][closing.end() :], False)
    return parts


def _blank(fillers: Sequence[str], end: int) -> str:
    """Whether most fillers stand apart from the fixed text at their beginning (0) or end (-1)."""
    return " " if 2 * sum(filler[end].isspace() for filler in fillers) > len(fillers) else ""


def _spaced(parts: Iterable[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Neighbours of one sort joined, one blank for any white space, none at the ends."""
    spaced: list[tuple[str, bool]] = []
    for is_slot, group in groupby(parts, key=lambda part: part[1]):
        text = "".join(text for text, _ in group)
        spaced.append((text if is_slot else re.sub(r"\s+", " ", text), is_slot))
    if spaced and not spaced[0][1]:
        spaced[0] = (spaced[0][0].lstrip(), False)
    if spaced and not spaced[-1][1]:
        spaced[-1] = (spaced[-1][0].rstrip(), False)
    return [part for part in spaced if part[0]]


def _fitted(parts: list[tuple[str, bool]], most_chars: int) -> list[tuple[str, bool]]:
    """Fixed stretches cut in their middle, all to one length, then parts left out at the end."""
    if sum(len(text) for text, _ in parts) <= most_chars:
        return parts
    lengths = [len(text) for text, is_slot in parts if not is_slot]
    room = most_chars - sum(len(text) for text, is_slot in parts if is_slot)
    most = max(
        (length for length in range(_LEAST_FIXED_CHARS, most_chars) if _length(lengths, length) <= room),
        default=_LEAST_FIXED_CHARS,
    )
    fitted: list[tuple[str, bool]] = []
    left = most_chars
    for at, (text, is_slot) in enumerate(parts):
        shown = text if is_slot or len(text) <= most else _without_middle(text, most)
        is_last = at == len(parts) - 1
        if len(shown) > left - 2 * (not is_last):  # two for the sign that something is missing
            return [*fitted, _last(shown, is_slot, left)]
        fitted.append((shown, is_slot))
        left -= len(shown)
    return fitted


def _length(lengths: list[int], most: int) -> int:
    return sum(min(length, most) for length in lengths)


def _without_middle(text: str, most_chars: int) -> str:
    head = (most_chars - 3) * 2 // 3
    return f"{text[:head].rstrip()} … {text[len(text) - (most_chars - 3 - head) :].lstrip()}"


def _last(text: str, is_slot: bool, left: int) -> tuple[str, bool]:
    return ("" if is_slot else text[: left - 2].rstrip()) + " …", False
