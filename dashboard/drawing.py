"""Drawing: everything a page shows, with every name from a log made inert first.

Here: escaping, small tables, badges and numbers in words. Not here: charts (charts), what is shown (pages).

A log's strings may be written by an adversary. They reach the screen in one of three ways: through
`inert` into our own HTML, as code blocks, or as cells of a data grid, which draws text on a canvas.
Never as Markdown: Streamlit's labels, titles and messages would turn it into links and pictures.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import streamlit as st

from pipelines.errors import StillwatchError
from pipelines.terminal import visible

MOST_CHARS = 4_000
"""Of one string on screen; a log may hold a megabyte where an id belongs."""


class Html(str):
    """Text that is HTML already, made in this module or from `inert` parts."""

    __slots__ = ()


def inert(text: object) -> Html:
    """Any text as harmless HTML: no element, no link, no hidden or direction-changing character."""
    whole = visible(str(text))
    shown = whole if len(whole) <= MOST_CHARS else whole[:MOST_CHARS] + "…"
    return Html(html.escape(shown, quote=True))


def show(markup: str) -> None:
    """Put our own HTML on the page."""
    st.html(markup)


def title(text: str, *, above: str = "", beside: str = "") -> None:
    """The heading of a page: a small line above it, the (inert) text, badges beside it."""
    over = f'<p class="sw-over">{inert(above)}</p>' if above else ""
    show(f'{over}<h1 class="sw-title">{inert(text)} {beside}</h1>')


def section(text: str, hint: str = "") -> None:
    """The heading of a part of a page, and one line that says how to read it."""
    said = f'<p class="sw-hint">{inert(hint)}</p>' if hint else ""
    show(f'<h2 class="sw-section">{inert(text)}</h2>{said}')


def paragraph(text: str, kind: str = "sw-text") -> None:
    """Plain words."""
    show(f'<p class="{kind}">{inert(text)}</p>')


def complaint(error: StillwatchError) -> None:
    """An error as the terminal would show it: what went wrong, and what to do."""
    remedy = f'<p class="sw-hint">{inert(error.remedy)}</p>' if error.remedy else ""
    show(f'<div class="sw-box sw-bad" role="alert"><p>{inert(_sentence(str(error)))}</p>{remedy}</div>')


@contextmanager
def errors_on_screen() -> Iterator[None]:
    """Show an error that a person can act on in the place of the rest of the page."""
    try:
        yield
    except StillwatchError as error:
        complaint(error)


def warning(text: str, remedy: str) -> None:
    """Something that is not as it should be, and what to do."""
    said = f'<p class="sw-text">{inert(text)}</p><p class="sw-hint">{inert(remedy)}</p>'
    show(f'<div class="sw-box sw-warned">{said}</div>')


def good_news(text: str) -> None:
    """What has just been done."""
    show(f'<div class="sw-box sw-good" role="status"><p>{inert(text)}</p></div>')


def empty(text: str, hint: str = "") -> None:
    """Nothing to show, and what to do about it."""
    said = f'<p class="sw-hint">{inert(hint)}</p>' if hint else ""
    show(f'<div class="sw-box"><p>{inert(text)}</p>{said}</div>')


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """A row of numbers, each with its name."""
    cells = "".join(
        f"<div><strong>{value if isinstance(value, Html) else inert(value)}</strong>"
        f"<span>{inert(name)}</span></div>"
        for name, value in pairs
    )
    show(f'<div class="sw-facts">{cells}</div>')


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """A table of inert cells; columns whose positions are in `numbers` are aligned right."""
    heads = "".join(f"<th{_aligned(n, numbers)}>{inert(heading)}</th>" for n, heading in enumerate(headings))
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{_aligned(n, numbers)}>{cell if isinstance(cell, Html) else inert(cell)}</td>"
            for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    show(
        f'<div class="sw-scroll"><table class="sw-table"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def badge(text: str, tone: str = "plain") -> Html:
    """A small label; tones: plain, quiet, good, warn, bad."""
    return Html(f'<span class="sw-badge sw-{tone}">{inert(text)}</span>')


def weighed(number: float, largest: float, *, sign: Literal["", "+"] = "") -> Html:
    """A number behind a thin bar that is full at `largest`, of another colour where it is negative."""
    width = round(100 * min(abs(number) / largest, 1.0))
    kind = "sw-bar sw-against" if number < 0 else "sw-bar"
    drawn = f'<span class="{kind}"><span style="width:{width}%"></span></span>'
    return Html(f'<span class="sw-keep">{drawn} {number:{sign}.1f}</span>')


def score(number: float) -> str:
    """A score, 0 to 1, with the digits that tell 0.997 from certainty."""
    return f"{number:.3f}"


def mono(text: object) -> Html:
    """An id."""
    return Html(f'<span class="sw-mono">{inert(text)}</span>')


def skeleton(text: str) -> None:
    """A template with its slots marked."""
    parts = re.split(r"(<(?:text|number|code|json)>)", text)
    shown = "".join(
        f"<mark>{inert(part.strip('<>'))}</mark>" if n % 2 else inert(part) for n, part in enumerate(parts)
    )
    show(f'<div class="sw-skeleton">{shown}</div>')


def exemplar(text: str) -> None:
    """A redacted prompt, as text and nothing but text."""
    st.code(_printable(text)[:MOST_CHARS], language=None, wrap_lines=True)


def cell(text: str) -> str:
    """A string for a data grid: its hidden characters made visible."""
    return visible(text)[:MOST_CHARS]


def count(number: int) -> str:
    """A whole number with thousands set apart."""
    return f"{number:,}"


def plural(number: int, one: str) -> str:
    """`1 account`, `3 accounts`."""
    return f"{count(number)} {one if number == 1 else one + 's'}"


def short(number: int) -> str:
    """A large number in few characters: `1.4 M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if number >= size:
            return f"{number / (1_000 if unit == 'k' else size):.1f} {unit}"
    return count(number)


def moment(when: datetime | None) -> str:
    """A time, always UTC and always said so."""
    return when.strftime("%Y-%m-%d %H:%M UTC") if when is not None else "-"


def night(day: date) -> str:
    """One night."""
    return f"{day:%Y-%m-%d}"


def value(number: float | None) -> str:
    """A measured value with as many digits as it can bear."""
    if number is None:
        return "-"
    return count(int(number)) if abs(number) >= 1000 else f"{number:.3g}"


def words(code: str) -> str:
    """`reasoning_trace` as a person writes it."""
    return code.replace("_", " ").lower()


def _printable(text: str) -> str:
    return "\n".join(visible(line) for line in text.splitlines())


def _aligned(position: int, numbers: Sequence[int]) -> str:
    return ' class="sw-number"' if position in numbers else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def style() -> None:
    """The look of all pages (style.css), on top of the theme in .streamlit/config.toml."""
    st.html(Path(__file__).with_name("style.css"))
