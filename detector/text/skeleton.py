"""Readable forms of texts: the skeleton of a template, and an exemplar fit to be shown.

Here: strings in, strings out, for the few texts a person looks at. Not here: which texts those are
(pipelines.evidence), how families are found (families).
"""

import re
from collections import Counter
from collections.abc import Sequence

SHARED_BY = 0.6
"""A run of words belongs to the template when this share of the examples holds it."""

RUN = 3
"""Words that must stand together to count as shared: single words are shared by chance."""

SLOT = "<slot>"

_WORD = re.compile(
    r"[぀-ヿ㐀-鿿가-힯฀-๿]"  # scripts without spaces: a sign is a word
    r"|[^\W_]+|[^\w\s]|_"
)

_SECRETS = (
    ("[mail]", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")),
    ("[key]", re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA|ASIA|AIza|eyJ)[-_A-Za-z0-9]{10,}")),
    ("[key]", re.compile(r"\b(?=[A-Za-z_-]{0,64}\d)(?=\d{0,64}[A-Za-z])[A-Za-z0-9_+/=-]{32,}")),
    ("[address]", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b")),
    ("[address]", re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}(?![\w:])")),
    ("[number]", re.compile(r"(?<!\w)\+?\d(?:[ ()./-]{0,2}\d){8,18}(?!\w)")),  # cards, phones, accounts
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def presentable(text: str, most_chars: int) -> str:
    """A text to show: secrets and control signs gone, the middle of a long one left out.

    Redaction comes first, so that a secret is never cut in two and missed. Reads at most sixteen times
    `most_chars`, from either end, so that a megabyte costs no more than a page.
    """
    reach = 8 * most_chars
    if len(text) > 2 * reach:
        text = text[:reach] + " … " + text[-reach:]
    text = _CONTROLS.sub(" ", text.replace("\r\n", "\n"))
    for mark, pattern in _SECRETS:
        text = pattern.sub(mark, text)
    if len(text) <= most_chars:
        return text
    head = most_chars * 2 // 3
    return f"{text[:head]} … {text[-(most_chars - head - 3) :]}"


def skeleton(examples: Sequence[str], most_chars: int = 600) -> str:
    """The fixed words of a template with `<slot>` for what changes, read off a few examples.

    Words of the middle-sized example are kept where a run of RUN words around them stands in SHARED_BY of all
    examples. Empty without examples; the whole text when there is but one form.
    """
    if not examples:
        return ""
    words = [[(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]
             for text in examples]  # fmt: skip
    held = Counter(run for text in words for run in {_run(text, at) for at in range(len(text) - RUN + 1)})
    base = sorted(range(len(examples)), key=lambda index: (len(words[index]), examples[index]))[len(examples) // 2]
    kept = [False] * len(words[base])
    for at in range(len(words[base]) - RUN + 1):
        if held[_run(words[base], at)] >= SHARED_BY * len(examples):
            kept[at : at + RUN] = [True] * RUN
    return _shortened(_with_slots(examples[base], words[base], kept), most_chars)


def _run(words: list[tuple[str, int, int]], at: int) -> tuple[str, ...]:
    return tuple(word for word, _, _ in words[at : at + RUN])


def _with_slots(text: str, words: list[tuple[str, int, int]], kept: list[bool]) -> str:
    """Join kept stretches as they stand in the text, one slot for each gap."""
    parts: list[str] = []
    end_of_last = 0
    for index, (_, start, end) in enumerate(words):
        if not kept[index]:
            if not parts or parts[-1] != SLOT:
                parts.append(SLOT)
        else:
            glue = text[end_of_last:start] if index and kept[index - 1] else " "
            parts.append(re.sub(r"\s+", " ", glue) + text[start:end])
        end_of_last = end
    return re.sub(r" {2,}", " ", "".join(part if part != SLOT else f" {SLOT}" for part in parts)).strip()


def _shortened(text: str, most_chars: int) -> str:
    return text if len(text) <= most_chars else text[: most_chars - 2].rstrip() + " …"
