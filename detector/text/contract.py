"""The output contract: the form a prompt tells its answer to have.

Here: the structural marks in one text (`marks`), and what the marks that a family shares demand of an answer
(`contract`). Not here: counting marks over a whole night (detector.kernels), what is shared (template).
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from detector.text.template import SHARED_BY, Template

MOST_NAME_BYTES = 48
MOST_LABEL_WORDS = 4
COLONS = (":", "：")

MOST_NAMES = 24
"""So many names of one kind are kept: a contract is read by a person."""

_NEAR_CHARS = 400
"""A mark this near behind a demanded one of its kind goes on with the same form."""

_OFTEN = 3
"""A name that stands so often in fixed text belongs to worked examples, and they show the form."""

_BLANKS, _BREAKS = " \t", "\n\r"
_NOT_IN_NAMES = frozenset("<>\"'[]{}|*#\\" + _BREAKS)
_LOOK_HERE = re.compile(r"[<\"'\[]|(?:\A|(?<=[\n\r]))(?=[^\n\r])")
_LIST_MARK = re.compile(r"[ \t]*+(?:[-*][ \t]++|\d{1,3}\.[ \t]++)?+")


# --- marks --------------------------------------------------------------------------------------------------


class Mark(NamedTuple):
    """A structural mark: `tag`, `key`, `bracket`, `heading` or `label`, its name, and where it stands."""

    kind: str
    name: str
    start: int
    end: int


def marks(text: str) -> list[tuple[str, str]]:
    """The structural marks of a text in order, as (kind, name).

    - `tag`: `<name>`, `</name>`, `<|name|>`; the name has no blank and begins with neither `!` nor `/`
    - `key`: `"name"` or `'name'`, then any blanks, then a colon
    - `bracket`: `[name]` or `[[name]]`, no `(` behind it
    - `heading`: a line of one to four `#`, a blank, and the name up to the line's end; or a line's first
      `**name**`
    - `label`: at a line's start a name of one to four words, then a colon

    A name has 1 to 48 bytes of UTF-8, no line break and none of `<>"'[]{}|*#\\`, no blank at either end,
    and a letter or digit (outside ASCII every sign counts as one). A colon is `:` or `：`, a blank is a
    space or a tab. Before headings and labels blanks and one list mark (`- `, `* `, `1. `) are skipped.
    Marks do not overlap: reading goes on behind each. At any place the reach is one name, so a text costs
    what its bytes cost.
    """
    return [(mark.kind, mark.name) for mark in _marks_in(text)]


def _marks_in(text: str) -> Iterator[Mark]:
    at = 0
    while (match := _LOOK_HERE.search(text, at)) is not None:
        mark = _mark_at(text, match.start())
        if mark is not None:
            yield mark
        at = mark.end if mark is not None else match.start() + 1


def _mark_at(text: str, at: int) -> Mark | None:
    if at == 0 or text[at - 1] in _BREAKS:
        list_mark = _LIST_MARK.match(text, at)
        start = list_mark.end() if list_mark else at
        mark = _heading_at(text, start) or _label_at(text, start)
        if mark is not None:
            return mark
    return _inner_mark_at(text, at)


def _inner_mark_at(text: str, at: int) -> Mark | None:
    sign = text[at : at + 1]
    if sign == "<":
        return _tag_at(text, at)
    if sign in {'"', "'"}:
        return _key_at(text, at, sign)
    return _bracket_at(text, at) if sign == "[" else None


def _tag_at(text: str, at: int) -> Mark | None:
    opening, closing = ("<|", "|>") if text.startswith("<|", at) else ("<", ">")
    if text.startswith("</", at):
        opening = "</"
    start = at + len(opening)
    end = _name_end(text, start, closing)
    name = text[start:end]
    if end < 0 or name[0] in "!/" or any(blank in name for blank in _BLANKS):
        return None
    return Mark("tag", name, at, end + len(closing))


def _key_at(text: str, at: int, quote: str) -> Mark | None:
    end = _name_end(text, at + 1, quote)
    if end < 0:
        return None
    colon = end + 1
    while text[colon : colon + 1] in (" ", "\t"):
        colon += 1
    if not text.startswith(COLONS, colon):
        return None
    return Mark("key", text[at + 1 : end], at, colon + 1)


def _bracket_at(text: str, at: int) -> Mark | None:
    opening, closing = ("[[", "]]") if text.startswith("[[", at) else ("[", "]")
    start = at + len(opening)
    end = _name_end(text, start, closing)
    if end < 0 or text.startswith("(", end + len(closing)):
        return None
    return Mark("bracket", text[start:end], at, end + len(closing))


def _heading_at(text: str, at: int) -> Mark | None:
    if text.startswith("**", at):
        end = _name_end(text, at + 2, "**")
        return Mark("heading", text[at + 2 : end], at, end + 2) if end >= 0 else None
    start = at
    while start - at < 4 and text.startswith("#", start):
        start += 1
    first = start
    while text[first : first + 1] in (" ", "\t"):
        first += 1
    if start in {at, first}:
        return None
    end = _end_of_line_name(text, first)
    return Mark("heading", text[first:end], at, end) if end >= 0 else None


def _label_at(text: str, at: int) -> Mark | None:
    ends = [end for colon in COLONS if (end := _name_end(text, at, colon)) >= 0]
    if not ends:
        return None
    name = text[at : min(ends)]
    if len(name.replace("\t", " ").split()) > MOST_LABEL_WORDS:
        return None
    return Mark("label", name, at, min(ends) + 1)


def _name_end(text: str, start: int, closing: str) -> int:
    """Where the name from `start` on ends before `closing`; -1: it is no name."""
    n_bytes = 0
    at = start
    while at < len(text) and text[at] not in _NOT_IN_NAMES and not text.startswith(closing, at):
        n_bytes += _n_bytes(text[at])
        if n_bytes > MOST_NAME_BYTES:
            return -1
        at += 1
    return at if text.startswith(closing, at) and _is_name(text[start:at]) else -1


def _end_of_line_name(text: str, start: int) -> int:
    """Where the name that fills the line from `start` on ends, blanks behind it left out; -1: no name."""
    n_bytes = 0
    at = last = start
    while at < len(text) and text[at] not in _NOT_IN_NAMES:
        n_bytes += _n_bytes(text[at])
        at += 1
        if text[at - 1] not in _BLANKS:
            if n_bytes > MOST_NAME_BYTES:
                return -1
            last = at
    is_closed = at == len(text) or text[at] in _BREAKS
    return last if is_closed and _is_name(text[start:last]) else -1


def _n_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _is_name(name: str) -> bool:
    return (
        0 < _n_bytes(name) <= MOST_NAME_BYTES
        and name[0] not in _BLANKS
        and name[-1] not in _BLANKS
        and any(sign.isalnum() or ord(sign) > 0x7F for sign in name)
    )


# --- words of demand ----------------------------------------------------------------------------------------


def _any_of(spaced: str, unspaced: str) -> re.Pattern[str]:
    """Whole words of scripts with spaces, and words of scripts without anywhere in a line."""
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)|(?:{unspaced})")


_DEMAND = _any_of(
    "answer|respond|reply|output|return|write|print|put|place|wrap|enclose|provide|present|produce|include|give|begin"
    "|start|end|finish|use|using|fill|emit|generate|contain|contains"
    "|отв[её]ть(?:те)?|ответ|выведи(?:те)?|верни(?:те)?|напиши(?:те)?|помести(?:те)?|используй(?:те)?|заключи(?:те)?"
    "|أجب|اكتب|أعد|ضع|استخدم|قدم"
    "|antworte|antworten|schreibe|schreib|schreiben|gib|geben|setze|verwende|nutze|beginne|ausgabe|antwort"
    "|responde|responda|responder|escribe|escriba|devuelve|devuelva|pon|incluye|usa|utiliza|respuesta"
    "|réponds|répondez|réponse|écris|écrivez|renvoie|renvoyez|mets|mettez|donne|donnez|utilise|utilisez|place",
    "回答|输出|輸出|返回|写|寫|放在|使用|给出|給出|答え|出力|返し|書|囲|使|답|출력|반환|작성|사용|넣",
)
_FORMAT = _any_of(
    "formats?|formatted|template|structure|structured|schema|json|xml|yaml|as follows|sections?|headings?"
    "|tags?|exactly|delimiters?|fields?"
    "|формат[а-я]{0,3}|структур[а-я]{0,3}|следующим образом|раздел[а-я]{0,3}|тег[а-я]{0,3}"
    "|بصيغة|الصيغة|بالتنسيق|التنسيق|الشكل التالي"
    "|formate?n?|struktur|wie folgt|abschnitten?|schema"
    "|formato|estructura|siguiente forma|secciones|etiquetas"
    "|gabarit|comme suit|suivante|balises?",
    "格式|结构|結構|如下|标签|模板|形式|フォーマット|以下のよう|タグ|형식|다음과 같|태그|구조",
)
_FURNITURE = _any_of(
    "rules?|guidelines?|important|notes?|instructions?|requirements?|constraints?|examples?|input|context|question"
    "|task|remember|criteria|background|warning|data|document"
    "|правила|важно|пример[а-я]{0,3}|задача|вопрос|ملاحظة|القواعد|مثال|السؤال"
    "|regeln|wichtig|hinweise?|beispiele?|aufgabe|frage|reglas|importante|ejemplos?|tarea|pregunta"
    "|règles|exemples?|tâche|consignes?",
    "规则|规则|注意|要求|示例|例子|问题|任务|ルール|例|質問|課題|規則|규칙|주의|예시|질문|과제",
)
_THINKING = _any_of(
    "think|thinking|thoughts?|reason|reasons|reasoning|rationale|analysis|analyze|explanation|explain|justification"
    "|feedback|critique|scratchpad|steps?|work|working|evidence|chain of thought|cot|reflection"
    "|рассуждени[а-я]|мысли|анализ|обоснование|объяснение|التفكير|التحليل|الشرح|السبب|الاستدلال"
    "|gedanken|überlegung(?:en)?|begründung|analyse|erklärung|denken"
    "|razonamiento|pensamiento|análisis|explicación|justificación"
    "|raisonnement|réflexion|analyse|explication|justification|pensée",
    "思考|推理|分析|理由|解释|解釋|考え|推論|解説|根拠|생각|추론|분석|이유|설명|풀이",
)
_ANSWERING = _any_of(
    "answer|final|result|results|score|scores|verdict|conclusion|decision|rating|grade|label|judge?ment|solution"
    "|response|output|choice|winner"
    "|ответ|итог|вывод|результат|оценка|решение|الإجابة|الجواب|النتيجة|الحكم"
    "|antwort|ergebnis|urteil|fazit|bewertung|lösung|respuesta|resultado|veredicto|conclusión|puntuación"
    "|réponse|résultat|verdict|conclusion|note",
    "答案|结论|結論|结果|結果|评分|得分|最终|回答|答え|判定|採点|정답|답|결과|점수|결론|판정",
)


# --- the contract -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contract:
    """What an answer is told to hold, each kind in order of demand.

    `labels` are names before a colon and names in brackets, the latter with their brackets: `Answer`,
    `[RESULT]`. `reasoning_first`: a part for reasoning is demanded before the first part for an answer.
    """

    tags: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    reasoning_first: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.tags or self.keys or self.headings or self.labels)

    def as_text(self) -> str:
        """One line for a person; empty when nothing is demanded."""
        parts = [
            ", ".join(f"<{name}>" for name in self.tags),
            "keys " + ", ".join(f'"{name}"' for name in self.keys) if self.keys else "",
            "headings " + ", ".join(self.headings) if self.headings else "",
            "labels " + ", ".join(f"{name}:" if name[0] != "[" else name for name in self.labels)
            if self.labels
            else "",
            "reasoning before the answer" if self.reasoning_first else "",
        ]
        return "; ".join(filter(None, parts))


def contract(examples: Sequence[str] | Template) -> Contract:
    """The output contract of a family, read off the marks in its fixed text.

    A mark counts when SHARED_BY of the examples hold it and the template's fixed text holds all of it. It
    frames the input, and is not demanded, when a slot follows it directly (`Question: <text>`) or a pair of
    tags wraps a slot. Of the others those are demanded that

    - stand in one line with a word of demand (answer, return, write, format ...; nine languages), for tags,
      keys, brackets and quoted labels; or in the paragraph below such a line,
    - follow a demanded mark of their kind closely,
    - end the prompt, so that the answer begins there, with what follows them in each worked example, or
    - stand in the fixed text _OFTEN times or more: worked examples show the form.

    What it cannot tell: a form demanded in words alone ("answer with one letter"); a name that frames the
    input and is demanded as well (taken for input); whether worked examples show the form or only the task;
    forms in the system prompt, unless these are the examples. Reasoning is told by the names of parts, not
    by "think step by step".
    """
    template = Template.of(examples)
    found = _shared_marks(template)
    if not found:
        return Contract()
    demanded = _demanded(template, found)
    return _as_contract([mark for mark in found if (mark.kind, mark.name) in demanded])


def _as_contract(found: list[Mark]) -> Contract:
    names: dict[str, list[str]] = {"tag": [], "key": [], "heading": [], "label": []}
    order: list[str] = []
    for mark in found:
        kind, name = ("label", f"[{mark.name}]") if mark.kind == "bracket" else (mark.kind, mark.name)
        if name not in names[kind] and len(names[kind]) < MOST_NAMES:
            names[kind].append(name)
            order.append(_as_words(mark.name))
    thinking = next((at for at, name in enumerate(order) if _THINKING.search(name)), len(order))
    answering = next((at for at, name in enumerate(order) if _ANSWERING.search(name)), -1)
    return Contract(
        tuple(names["tag"]),
        tuple(names["key"]),
        tuple(names["heading"]),
        tuple(names["label"]),
        reasoning_first=thinking < answering,
    )


def _as_words(name: str) -> str:
    """`finalAnswer` and `final_answer` as `final answer`."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).casefold()


def _shared_marks(template: Template) -> list[Mark]:
    """Marks of the base that most examples hold and that stand in fixed text, labels in quotes among them."""
    n_holding = Counter(mark for text in template.examples for mark in set(marks(text)))
    least = SHARED_BY * len(template.examples)
    found = [
        mark
        for mark in _marks_in(template.base)
        if n_holding[mark.kind, mark.name] >= least
        and (mark.kind, mark.name) not in _REDACTIONS
        and not _is_index(template.base, mark)
    ]
    taken = {mark.start for mark in found}
    found += [mark for mark in _quoted_labels(template.base) if mark.start not in taken]
    fixed = [(piece.start, piece.end) for piece in template.pieces if not piece.is_slot]
    return sorted(
        (mark for mark in found if any(start <= mark.start and mark.end <= end for start, end in fixed)),
        key=lambda mark: mark.start,
    )


_NEXT_TO_CHARS = 64
_NEXT_TO = re.compile(r"[\s\"'`:：=({\[]{0,16}(?:```\w{0,16}\s{0,8})?")
_REDACTIONS = {("bracket", name) for name in ("mail", "key", "address", "number")}
_QUOTED_LABEL = re.compile(
    r"[\"“「『‘'`](?P<name>[^\s\"'“”「」『』‘’`:：<>\[\]{}|*#\\][^\"'“”「」『』‘’`:：<>\[\]{}|*#\\\n\r]{0,47})[:：]"
)


def _is_index(text: str, mark: Mark) -> bool:
    """A call or a place in a list, as in `search[question]` and `x[0]`."""
    return mark.kind == "bracket" and text[mark.start - 1 : mark.start].isalnum()


def _quoted_labels(text: str) -> Iterator[Mark]:
    """Labels that open a quoted form in a line of demand: `answer as in "Feedback: ... [RESULT] ..."`."""
    for start, end in _lines(text):
        line = text[start:end]
        if not _asks(line.casefold()):
            continue
        for match in _QUOTED_LABEL.finditer(line):
            name = match["name"]
            if _is_name(name) and len(name.split()) <= MOST_LABEL_WORDS:
                yield Mark("label", name, start + match.start(), start + match.end())


def _asks(folded_line: str) -> bool:
    return _DEMAND.search(folded_line) is not None or _FORMAT.search(folded_line) is not None


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in re.finditer(r"[\n\r]|\Z", text):
        yield start, match.start()
        start = match.end()


def _demanded(template: Template, found: list[Mark]) -> set[tuple[str, str]]:
    slots = [(piece.start, piece.end) for piece in template.pieces if piece.is_slot]
    closings: dict[str, list[int]] = {}
    for mark in found:
        if mark.kind == "tag" and template.base.startswith("</", mark.start):
            closings.setdefault(mark.name, []).append(mark.start)
    framing = {
        (mark.kind, mark.name)
        for mark in found
        if _frames(template.base, slots, mark, closings.get(mark.name, []))
    }
    asked = _asked_for(template.base, slots, found)
    often = Counter((mark.kind, mark.name) for mark in found if mark.kind not in {"key", "tag"})
    least = max(_OFTEN, max(often.values(), default=0) * 2 / 3)  # not what one worked example says thrice
    asked |= {name for name, n in often.items() if n >= least}
    return (asked - framing) | _begun(template, found)


def _frames(text: str, slots: list[tuple[int, int]], mark: Mark, closings: list[int]) -> bool:
    """A slot follows it directly, or stands between it and the tag that closes it."""
    following = slots[at][0] if (at := bisect_left(slots, (mark.end, 0))) < len(slots) else None
    if following is None:
        return False
    if following - mark.end <= _NEXT_TO_CHARS and _NEXT_TO.fullmatch(text[mark.end : following]):
        return True
    if mark.kind != "tag" or mark.start in closings:
        return False
    at = bisect_left(closings, mark.end)
    return at < len(closings) and following < closings[at]


def _asked_for(text: str, slots: list[tuple[int, int]], found: list[Mark]) -> set[tuple[str, str]]:
    """Marks in lines of demand, in the paragraphs below them, and those that go on with the same form."""
    asked: set[tuple[str, str]] = set()
    last: dict[str, int] = {}  # kind -> where the last demanded mark of it ends
    for mark, in_line, below_demand, below_format in _with_demands(text, found):
        is_inner = mark.kind in {"tag", "key", "bracket"} or text[mark.start] in "\"“「『‘'`"
        is_furniture = not is_inner and (
            _FURNITURE.search(mark.name.casefold()) or _FORMAT.search(mark.name.casefold())
        )
        goes_on = (
            mark.kind in last
            and mark.start - last[mark.kind] <= _NEAR_CHARS
            and not any(last[mark.kind] <= start < mark.start for start, _ in slots)
        )
        if (is_inner and (in_line or below_demand)) or (not is_furniture and (below_format or goes_on)):
            asked.add((mark.kind, mark.name))
            last[mark.kind] = mark.end
    return asked


def _with_demands(text: str, found: list[Mark]) -> Iterator[tuple[Mark, bool, bool, bool]]:
    """Each mark with: its line asks; the line before its paragraph asks; that one names a form."""
    at = 0
    below_demand = below_format = False
    opens_demand = opens_format = (
        False  # what the last line that was not blank opens, for the paragraph behind it
    )
    was_blank = True
    for start, end in _lines(text):
        line = text[start:end].casefold()
        if not line.strip():
            was_blank = True
            continue
        if was_blank:
            below_demand, below_format = opens_demand, opens_format
        in_line = _asks(line)
        while at < len(found) and found[at].start < end:
            yield found[at], in_line, below_demand, below_format
            at += 1
        opens = line.rstrip(" `*").endswith((":", "："))
        opens_demand = opens and in_line
        opens_format = opens and _FORMAT.search(line) is not None
        if opens_demand:  # also the lines directly below it
            below_demand, below_format = True, opens_format
        was_blank = False
    for mark in found[at:]:
        yield mark, False, False, False


def _begun(template: Template, found: list[Mark]) -> set[tuple[str, str]]:
    """The mark that ends the prompt, and what follows it in each worked example until the next begins."""
    last = found[-1]
    if template.base[last.end :].strip(" \t\n\r:：*`\"'") or template.pieces[-1].is_slot:
        return set()
    names = [(mark.kind, mark.name) for mark in found if mark.kind == last.kind]
    before = [at for at, name in enumerate(names[:-1]) if name == names[-1]]
    if not before:
        return {names[-1]}
    cycle = set(names[before[-1] :])
    first = next(name for name in names if name in cycle)
    begun = {names[-1]}
    for name in names[before[-1] + 1 : -1]:
        if name == first:
            break
        begun.add(name)
    return begun
