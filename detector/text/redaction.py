"""Texts fit to be shown: what may belong to somebody is replaced by a mark, and long ones are cut.

Here: strings in, strings out. Whoever sends requests writes these texts, so every pattern looks a bounded way
ahead and keeps what it took (possessive repeats): a megabyte costs what its bytes cost. Not here: which texts
are shown (pipelines.evidence), what in them belongs to a template (marking).

Known limits: names and postal addresses stay; so do numbers
written digit by digit unless they check as a card's, and keys that look like names in a program.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from re import Match, Pattern

MARGIN_CHARS = 1_024
"""Read beyond the place where reading ends and never shown: a secret across it is seen as a whole."""

_MOST_ROUNDS = 8
"""What a cut leaves is looked at again, at most so often: "1.2.3.4.5" cut short looks like an address."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UNSEEN = (
    re.compile(  # zero-width, filling, bidirectional and tag signs: gone first, so that none hides a secret
        r"[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3"
        r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    )
)
_FOLDED = {  # full-width and mathematical letters, digits and signs: one for one, so that places stay right
    sign: unicodedata.normalize("NFKC", chr(sign))
    for sign in (*range(0xFF01, 0xFF5F), *range(0x1D400, 0x1D800))
    if len(unicodedata.normalize("NFKC", chr(sign))) == 1
}

# Not \b: a Han or Thai sign is a word character to `re`, and would hide whatever stands beside it.
_BEFORE, _AFTER = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
_AT = r"(?:[@﹫]|%40|&#64;|[ ]?[\[(](?i:at)[\])][ ]?)"
_DOT = r"(?:[.。｡]|[ ]?[\[(](?i:dot)[\])][ ]?)"
_HYPHEN = r"\-\u2010-\u2015\u2212\ufe63"
_BETWEEN_DIGITS = rf"[ \t\xa0\u2000-\u200a\u202f\u3000().。·/{_HYPHEN}]"

# --- decisions that no pattern can take ---------------------------------------------------------------------

_DATE = re.compile(
    r"(?<!\d)(?:(?:1[0-9]|2[01])\d\d([-./])(?:1[0-2]|0?[1-9])\1(?:3[01]|[12]\d|0?[1-9])"
    r"|(?:3[01]|[12]\d|0?[1-9])([-./])(?:3[01]|[12]\d|0?[1-9])\2(?:1[0-9]|2[01])\d\d)(?!\d)"
)
_DECIMAL = re.compile(r"(?:0|[1-9]\d{0,2})\.\d++|[1-9]\d{3,5}\.\d{1,6}|[1-9]\d{0,8}\.\d{1,2}")
_DIGITS = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")
_PIECES = re.compile(r"[-_+/=]+")
_NAME_PIECE = re.compile(
    r"\d{1,4}|[A-Z]{1,15}\d{0,3}|[A-Z]{0,4}[a-z]{1,24}\d{0,3}|[a-z]{0,24}(?:[A-Z]{1,4}[a-z]{1,24}){1,6}\d{0,3}"
    r"|[a-z]{2,24}\d{1,2}[a-z]{1,24}|\d{1,2}[a-z]{1,3}"
)
_OPERATOR = re.compile(rf"(?<=\d)(?:\s[{_HYPHEN}/]\s|/)(?=\d)")
_AREA_CODE = re.compile(rf"(?<![\d.])[0٠۰]\d{{2,4}}(?:\s?[{_HYPHEN}/]\s?|\s)\d(?:[\s{_HYPHEN}]?\d){{4}}")


def _numbers(match: Match[str]) -> Iterator[tuple[int, int]]:
    """The parts of a row of digit groups that look like a card, a phone or an account."""
    row = match.group()
    if _follows_version(match) and not re.search(r"[^\d.]", row):
        return
    for start, end in _between(_DATE, row, 0, len(row)):
        is_sum = not _holds_known_groups(row[start:end])
        for first, last in _between(_OPERATOR, row, start, end) if is_sum else [(start, end)]:
            if not is_sum or _is_private_number(row[first:last]):
                digits = [at for at in range(first, last) if row[at].isdecimal()]
                has_plus = digits[0] > first and row[digits[0] - 1] == "+"
                yield match.start() + digits[0] - has_plus, match.start() + digits[-1] + 1


def _between(pattern: Pattern[str], row: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(row, start, end):
        yield start, found.start()
        start = found.end()
    yield start, end


def _holds_known_groups(row: str) -> bool:
    """A card in fours or as 4-6-5, a phone as 3-3-4 or behind an area code; years are no card."""
    if _AREA_CODE.search(row):
        return True
    groups = _DIGITS.findall(row)
    sizes = [len(group) for group in groups]
    for at in range(len(groups) - 2):
        if sizes[at : at + 3] in ([4, 6, 5], [3, 3, 4]):
            return True
        if sizes[at : at + 4] == [4] * 4 and (
            not all(1900 <= int(group) <= 2100 for group in groups[at : at + 4])
            or _checks_as_card(groups[at : at + 4])
        ):
            return True
    return False


def _is_private_number(part: str) -> bool:
    """Nine digits or more, or seven behind a plus; but no decimals, years, counting or grids."""
    groups = _DIGITS.findall(part)
    n_digits = sum(map(len, groups))
    if part.lstrip(" (").startswith("+"):
        return n_digits >= 7
    if n_digits < 9 or all(len(group) == 4 and 1900 <= int(group) <= 2100 for group in groups):
        return False
    if max(map(len, groups)) <= 2:  # clock times as well; but phones are written in pairs, too
        return _checks_as_card(groups) or _is_phone_in_pairs(groups[-5:])
    return not _are_decimals(_BLANKS.split(part.strip(" ()")))


def _are_decimals(pieces: list[str]) -> bool:
    """Numbers with a decimal point, and beside them no more digits than a small number has."""
    others = [piece for piece in pieces if not _DECIMAL.fullmatch(piece)]
    return len(others) < len(pieces) and sum(map(len, others)) < 9


def _is_phone_in_pairs(groups: list[str]) -> bool:
    return [len(group) for group in groups] == [2] * 5 and int(groups[0][0]) == 0


def _checks_as_card(groups: list[str]) -> bool:
    """13 to 19 digits whose check digit is right (Luhn, ISO/IEC 7812): one in ten by chance."""
    digits = [int(sign) for group in groups[:19] for sign in group]
    if not 13 <= len(digits) <= 19 or len(groups) > 19 or not any(digits):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _follows_version(match: Match[str]) -> bool:
    before = match.string[max(match.start() - 16, 0) : match.start()].casefold()
    return re.search(r"(?:version|release|build|\bv)[ :=.]{0,2}$", before) is not None


def _ip4(match: Match[str]) -> Iterator[tuple[int, int]]:
    """Four numbers up to 255, unless the word before says that they are a version."""
    if not _follows_version(match) and all(int(octet) <= 255 for octet in _DIGITS.findall(match.group())):
        yield match.span()


def _long_key(match: Match[str]) -> Iterator[tuple[int, int]]:
    """A long run of letters and digits, unless its pieces read like a name in a program."""
    pieces = [piece for piece in _PIECES.split(match.group()) if piece]
    if len(pieces) < 3 or not all(_NAME_PIECE.fullmatch(piece) for piece in pieces):
        yield match.span()


def _iban(match: Match[str]) -> Iterator[tuple[int, int]]:
    signs = [sign for sign in match.group() if sign.isalnum()]
    if 15 <= len(signs) <= 34 and sum(sign.isdecimal() for sign in signs) >= 10:
        yield match.span()


def _card(match: Match[str]) -> Iterator[tuple[int, int]]:
    if _checks_as_card(_DIGITS.findall(match.group())):
        yield match.span()


def _whole(match: Match[str]) -> Iterator[tuple[int, int]]:
    yield match.span()


def _named(match: Match[str]) -> Iterator[tuple[int, int]]:
    """Only the value: what stands in front of it tells the reader what was there."""
    yield match.span("value")


# --- what is looked for -------------------------------------------------------------------------------------

_Rule = tuple[str, Pattern[str], Callable[[Match[str]], Iterator[tuple[int, int]]]]

_HAS_DIGIT = r"(?=[-_A-Za-z]{0,64}[0-9])"
_SECRET_WORD = (
    r"(?:api[-_ ]?key|secret|token|passw(?:or)?d|passwort|pwd|passphrase|credential|contraseña|mot de passe"
    r"|пароль|كلمة المرور|密码|密碼|密钥|パスワード|비밀번호)"
)

_RULES: tuple[_Rule, ...] = tuple(
    (mark, re.compile(pattern), decide)
    for mark, pattern, decide in (
        (
            "[key]",
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[^-]{0,20000}+-----END [A-Z0-9 ]{0,60}-----|(?:(?:\s|\\[nr])*+[A-Za-z0-9+/=]{16,}+)*+)",
            _whole,
        ),
        (  # the end of a block whose beginning was not read: its last, short line
            "[key]",
            r"[A-Za-z0-9+/=]{0,80}+(?:\s|\\[nr]){0,4}+-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
            _whole,
        ),
        ("[key]", r"[a-z][a-z0-9+.-]{1,20}://(?P<value>[^\s/:@'\"<>]{0,128}:[^\s/@'\"<>]{1,256})@", _named),
        (
            "[key]",
            r"[?&#;](?i:[a-z_.-]{0,32}(?:token|key|secret|sig|signature|passw(?:or)?d|pwd|auth|session|credential)"
            r"[a-z_.-]{0,16})=(?P<value>[^\s&#'\"<>)\]]{6,2048}+)",
            _named,
        ),
        ("[key]", r"hooks\.slack\.com/(?:services|workflows)/(?P<value>[A-Za-z0-9/]{16,256}+)", _named),
        ("[key]", r"(?i:bearer|basic)[ \t]{1,4}(?P<value>[-_A-Za-z0-9.+/~=]{16,2048}+)", _named),
        (  # written as "password: ..." or secret = '...': with a digit, and not a call or an attribute
            "[key]",
            rf"(?i:{_SECRET_WORD})[\"']?[ \t]{{0,4}}(?:[:=：]|\bis\b)[ \t]{{0,4}}[\"']?"
            r"(?P<value>(?=[^\s\d]{0,64}\d)(?=[^\sA-Za-z]{0,64}[A-Za-z])(?:[A-Za-z0-9!@#$%^*_+/=~-]|&(?!\w{1,32}=)){8,256}+)(?![(\[.])",
            _named,
        ),
        ("[mail]", rf"[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,6}}", _whole),
        (
            "[key]",
            _BEFORE
            + r"(?:[spr]k[-_]|gh[oprsu]_|github_pat_|glpat-|xox[abceoprs]-|xapp-|AKIA|ASIA|AIza|ya29\.|hf_"
            r"|npm_|pypi-|SG\.|dop_v1_|shp(?:at|ca|pa|ss)_|sq0[a-z]{3}-|gsk_|r8_|nvapi-|lin_api_|ATATT|whsec_)"
            + _HAS_DIGIT
            + r"[-_A-Za-z0-9]{10,}+(?:\.[-_A-Za-z0-9]{10,}+)?",
            _long_key,
        ),
        ("[key]", _BEFORE + r"eyJ[-_A-Za-z0-9]{10,}+(?:\.[-_A-Za-z0-9]++){0,4}", _whole),  # a web token
        (
            "[key]",
            _BEFORE + _HAS_DIGIT + r"(?=[0-9_-]{0,64}[A-Za-z])[A-Za-z0-9_-]{32,}+",
            _long_key,
        ),
        # With slashes as in base 64, and all three kinds of signs, so that paths are left alone.
        (
            "[key]",
            _BEFORE + r"(?=[a-z0-9+/]{0,64}[A-Z])(?=[A-Z0-9+/]{0,64}[a-z])(?=[A-Za-z+/]{0,64}[0-9])"
            r"[A-Za-z0-9+/]{40,}+={0,2}",
            _long_key,
        ),
        (
            "[number]",
            _BEFORE + r"[A-Za-z]{2}\d\d(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?" + _AFTER,
            _iban,
        ),
        (
            "[address]",
            _BEFORE + rf"(?<!\d\.)(?:\d{{1,3}}{_DOT}){{3}}\d{{1,3}}" + r"(?![A-Za-z0-9_]|\.\d)",
            _ip4,
        ),
        (  # six groups or more: eight are IPv6, six are a network card
            "[address]",
            _BEFORE + r"(?<!:)[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){5,7}+(?!:)" + _AFTER,
            _whole,
        ),
        # Shortened: a first group of three or four, so that the slice x[1::2] is left alone.
        (
            "[address]",
            _BEFORE + r"(?<!:)[0-9a-fA-F]{3,4}(?::[0-9a-fA-F]{1,4}){0,6}::"
            r"(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?(?!:)" + _AFTER,
            _whole,
        ),
        ("[number]", rf"\+?\(?\d(?:{_BETWEEN_DIGITS}{{0,3}}+\d){{6,}}+", _numbers),
        # A card over a line's end, or with other signs between its fours: only when its check digit is right.
        ("[number]", r"(?<!\d)(?:\d{4}[\s_:,;|*~-]){3}\d{4}(?!\d)", _card),
    )
)


# --- the whole ----------------------------------------------------------------------------------------------


def presentable(text: str, most_chars: int) -> str:
    """A text to show: secrets and control signs gone, the middle of a long one left out.

    Parameters
    ----------
    text : anything a client may have written
    most_chars : the answer's length at most, 8 or more

    Returns
    -------
    Mail addresses as `[mail]`, network addresses as `[address]`, keys, passwords and tokens as `[key]`,
    cards, phones and accounts as `[number]`. Shown once more it stays as it is.

    Redaction comes before the cut, so that a secret is never cut in two and missed. Reads at most sixteen
    times `most_chars` and two margins, from either end, so that a megabyte costs no more than a page.
    """
    shown = _cut(_read(text, most_chars), most_chars)
    for _ in range(_MOST_ROUNDS):
        again = _cut(_redacted(shown), most_chars)
        if again == shown:
            break
        shown = again
    return shown


def _read(text: str, most_chars: int) -> str:
    """The redacted text, or its two ends. What stands in the margins is read and not given."""
    reach = 8 * most_chars + MARGIN_CHARS
    if len(text) <= 2 * reach:
        return _redacted(_plain(text))
    head, tail = _plain(text[:reach]), _plain(text[-reach:])
    return f"{_redacted(head, end=len(head) - MARGIN_CHARS)} … {_redacted(tail, start=MARGIN_CHARS)}"


def _plain(text: str) -> str:
    return _CONTROLS.sub(" ", _UNSEEN.sub("", text.replace("\r\n", "\n")))


def _cut(text: str, most_chars: int) -> str:
    if len(text) <= most_chars:
        return text
    head = most_chars * 2 // 3
    return f"{text[:head]} … {text[len(text) - (most_chars - head - 3) :]}"


def _redacted(text: str, start: int = 0, end: int | None = None) -> str:
    """text[start:end] with marks for secrets; one that reaches across either bound is a mark as a whole."""
    end = len(text) if end is None else end
    parts = []
    at = start
    for first, last, mark in _secrets(text):
        if last <= start or first >= end:
            continue
        parts += [text[at:first], mark]
        at = last
    parts.append(text[at : max(end, at)])
    return "".join(parts) if start < end else ""


def _secrets(text: str) -> list[tuple[int, int, str]]:
    """(start, end, mark) of all secrets in order; for the union of several the first rule's mark.

    Every rule sees the text as it was written: a mark never splits what a later rule would have found.
    """
    folded = text if text.isascii() else text.translate(_FOLDED)
    found = sorted(
        (start, -end, rank)
        for rank, (_, pattern, decide) in enumerate(_RULES)
        for match in pattern.finditer(folded)
        for start, end in decide(match)
    )
    joined: list[tuple[int, int, int]] = []
    for start, minus_end, rank in found:
        if joined and start < joined[-1][1]:
            first, last, earlier = joined[-1]
            joined[-1] = (first, max(last, -minus_end), min(earlier, rank))
        else:
            joined.append((start, -minus_end, rank))
    return [(start, end, _RULES[rank][0]) for start, end, rank in joined]
