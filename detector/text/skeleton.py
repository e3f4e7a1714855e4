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

# Not \b: a Han or Thai sign is a word character to `re`, and would hide whatever stands beside it.
_BEFORE, _AFTER = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"

_SECRETS = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("[mail]", r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}"),
        (
            "[key]",
            _BEFORE + r"(?:[spr]k[-_]|gh[oprsu]_|github_pat_|xox[abeoprs]-|AKIA|ASIA|AIza)[-_A-Za-z0-9]{10,}",
        ),
        ("[key]", _BEFORE + r"eyJ[-_A-Za-z0-9]{10,}(?:\.[-_A-Za-z0-9]+){0,2}"),  # a JSON web token
        ("[key]", _BEFORE + r"(?=[A-Za-z_-]{0,64}[0-9])(?=[0-9_-]{0,64}[A-Za-z])[A-Za-z0-9_-]{32,}"),
        # With slashes as in base 64, and all three kinds of signs, so that paths are left alone.
        (
            "[key]",
            _BEFORE + r"(?=[a-z0-9+/]{0,64}[A-Z])(?=[A-Z0-9+/]{0,64}[a-z])(?=[A-Za-z+/]{0,64}[0-9])"
            r"[A-Za-z0-9+/]{40,}={0,2}",
        ),
        ("[address]", _BEFORE + r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}" + _AFTER),
        ("[address]", _BEFORE + r"(?<!:)(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}(?!:)" + _AFTER),
        # Shortened: a first group of three or four, so that the slice x[1::2] is left alone.
        (
            "[address]",
            _BEFORE + r"(?<!:)[0-9a-fA-F]{3,4}(?::[0-9a-fA-F]{1,4}){0,6}::"
            r"(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?(?!:)" + _AFTER,
        ),
        ("[number]", _BEFORE + r"\+?\d(?:[ ()./-]{0,2}\d){8,}" + _AFTER),  # cards, phones, accounts
    )
)
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_CUT_WORD = 256
"""A word cut in two where reading ends loses at most this many characters."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UNSEEN = re.compile(  # zero-width, bidirectional and tag signs: gone first, so that none hides a secret
    r"[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def presentable(text: str, most_chars: int) -> str:
    """A text to show: secrets and control signs gone, the middle of a long one left out.

    Parameters
    ----------
    text : anything a client may have written
    most_chars : the answer's length at most, 8 or more

    Redaction comes before the cut, so that a secret is never cut in two and missed. Reads at most sixteen
    times `most_chars`, from either end, so that a megabyte costs no more than a page; a word cut in two where
    the reading ends is left out.
    """
    reach = 8 * most_chars
    if len(text) > 2 * reach:
        text = f"{_whole_words_before(text, reach)} … {_whole_words_after(text, len(text) - reach)}"
    text = _CONTROLS.sub(" ", _UNSEEN.sub("", text.replace("\r\n", "\n")))
    for mark, pattern in _SECRETS:
        text = pattern.sub(mark, text)
    if len(text) <= most_chars:
        return text
    head = most_chars * 2 // 3
    return f"{text[:head]} … {text[len(text) - (most_chars - head - 3) :]}"


def _whole_words_before(text: str, end: int) -> str:
    start = max(end - _CUT_WORD, 0)
    return text[:start] + text[start:end].rstrip(_VISIBLE)


def _whole_words_after(text: str, start: int) -> str:
    end = start + _CUT_WORD
    return text[start:end].lstrip(_VISIBLE) + text[end:]


def skeleton(examples: Sequence[str], most_chars: int = 600) -> str:
    """The fixed words of a template with `<slot>` for what changes, read off a few examples.

    Words of the middle-sized example are kept where a run of RUN words around them stands in SHARED_BY of all
    examples. Empty without examples; the whole text when there is but one form; `<slot>` alone when the
    examples share nothing. Never longer than `most_chars`.
    """
    if not examples:
        return ""
    if len(set(examples)) == 1:
        return _shortened(" ".join(examples[0].split()), most_chars)
    words = [[(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]
             for text in examples]  # fmt: skip
    held = Counter(run for text in words for run in {_run(text, at) for at in range(len(text) - RUN + 1)})
    by_size = sorted(range(len(examples)), key=lambda index: (len(words[index]), examples[index]))
    base = by_size[len(examples) // 2]
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
    for is_kept, (_, start, end) in zip(kept, words, strict=True):
        glue = re.sub(r"\s+", " ", text[end_of_last:start])
        if is_kept:
            parts.append(glue + text[start:end])
        elif not parts or parts[-1] != SLOT:
            parts += [glue, SLOT]
        end_of_last = end
    return "".join(parts).strip()


def _shortened(text: str, most_chars: int) -> str:
    return text if len(text) <= most_chars else text[: most_chars - 2].rstrip() + " …"
