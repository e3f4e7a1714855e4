"""An exemplar with the text of its template marked.

Here: one prompt in, its shown form in segments out. Not here: what is shared (template), redaction
(redaction), how segments are drawn (the screen, the report).
"""

from collections.abc import Iterable, Sequence

from detector.text.redaction import presentable
from detector.text.template import Template

OPENING, CLOSING = "⟦", "⟧"


def marked(text: str, examples: Sequence[str] | Template, most_chars: int) -> list[tuple[str, bool]]:
    """A prompt as it is shown, in segments: (text, does it belong to the template).

    Parameters
    ----------
    text : anything a client may have written
    examples : redacted examples of its family, or the template already read off them
    most_chars : length of all segments together at most, 8 or more

    Returns
    -------
    Segments in turn shared and not; joined they are `presentable(text, most_chars)`. Redaction and the cut
    come first and the template is found in what is left, so a segment never holds what is not shown. That a
    segment is shared stands beside the text, not in it: a prompt can write any sign.
    """
    shown = presentable(text, most_chars)
    segments: list[tuple[str, bool]] = []
    at = 0
    for start, end in Template.of(examples).fixed_in(shown):
        segments += [(shown[at:start], False), (shown[start:end], True)]
        at = end
    segments.append((shown[at:], False))
    return _joined(segment for segment in segments if segment[0])


def _joined(segments: Iterable[tuple[str, bool]]) -> list[tuple[str, bool]]:
    joined: list[tuple[str, bool]] = []
    for text, is_shared in segments:
        if joined and joined[-1][1] == is_shared:
            joined[-1] = (joined[-1][0] + text, is_shared)
        else:
            joined.append((text, is_shared))
    return joined


def as_plain_text(segments: Iterable[tuple[str, bool]]) -> str:
    """For a terminal: shared text between `⟦` and `⟧`; where a prompt wrote these, `[` and `]` are shown."""
    parts = []
    for text, is_shared in segments:
        shown = text.replace(OPENING, "[").replace(CLOSING, "]")
        parts.append(f"{OPENING}{shown}{CLOSING}" if is_shared else shown)
    return "".join(parts)
