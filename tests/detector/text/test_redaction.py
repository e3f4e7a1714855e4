"""What a person gets to read holds nobody's secrets, wherever they stand and wherever it is cut."""

import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text import presentable
from detector.text.redaction import MARGIN_CHARS

SECRETS = {
    "a mail address": ("ana.diaz+shop@mail.example.co.uk", "[mail]"),
    "a provider's key": ("sk-proj-4fQ9aZ81kLmN0pQr2sTu", "[key]"),
    "a payment key": ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[key]"),
    "a repository token": ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[key]"),
    "a cloud key id": ("AKIAIOSFODNN7EXAMPLE", "[key]"),
    "a cloud secret": ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[key]"),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w", "[key]"),
    "a hash": ("5f4dcc3b5aa765d61d8327deb882cf99", "[key]"),
    "a number with letters and dashes": ("12345678-9abc-4def-8123-56789abcdef0", "[key]"),
    "a card": ("4111 1111 1111 1111", "[number]"),
    "a card with dashes": ("4111-1111-1111-1111", "[number]"),
    "a phone": ("+49 (30) 123 456-78", "[number]"),
    "a mobile": ("13800138000", "[number]"),
    "a long account": ("1234567890" * 3, "[number]"),
    "a card of Arabic-Indic digits": ("٤١١١ ١١١١ ١١١١ ١١١١", "[number]"),
    "a card of full-width digits": ("４１１１－１１１１－１１１１－１１１１", "[number]"),
    "a card with dots": ("4111.1111.1111.1111", "[number]"),
    "a card digit by digit": ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "[number]"),
    "a card in 4-6-5": ("3782 822463 10005", "[number]"),
    "a phone in pairs": ("06 12 34 56 78", "[number]"),
    "a phone with dots": ("555.123.4567", "[number]"),
    "a phone behind an area code": ("030/1234567", "[number]"),
    "a short phone behind a plus": ("+372 51 23 45", "[number]"),
    "an account of a bank": ("DE89 3704 0044 0532 0130 00", "[number]"),
    "an account of a bank with letters": ("GB82WEST12345698765432", "[number]"),
    "full-width mail": ("ana＠mail．example．org", "[mail]"),
    "mail in a web address": ("ana.diaz%40example.org", "[mail]"),
    "mail in words": ("ana.diaz [at] mail (dot) example.org", "[mail]"),
    "a card in keycaps": ("4️⃣1️⃣1️⃣1️⃣ 1️⃣1️⃣1️⃣1️⃣ 1111 1111", "[number]"),
    "a card over a line's end": ("4111 1111\n1111 1111", "[number]"),
    "a card with lines": ("4111_1111_1111_1111", "[number]"),
    "a full-width key": ("ｓｋ－ｐｒｏｊ－４ｆＱ９ａＺ８１ｋＬｍＮ０ｐＱｒ", "[key]"),
    "a key in mathematical letters": ("𝗀𝗁𝗉_𝟣𝟨𝖢𝟩𝖾𝟦𝟤𝖥𝟤𝟫𝟤𝖼𝟨𝟫𝟣𝟤𝖤𝟩𝟩𝟣𝟢𝖼𝟪𝟥𝟪", "[key]"),
    "a hub's token": ("hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345", "[key]"),
    "a lab's token": ("glpat-x9Yz8Ab7Cd6Ef5Gh4Ij3", "[key]"),
    "a network card": ("00:1b:44:11:3a:b7", "[address]"),
    "an address": ("203.0.113.77", "[address]"),
    "a long address": ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[address]"),
    "a short address": ("2001:db8::8a2e:7334", "[address]"),
    "a shorter address": ("fe80::1", "[address]"),
}


@pytest.mark.parametrize(("secret", "mark"), SECRETS.values(), ids=list(SECRETS))
@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("call me: ", ", please"), ("(", ")"), ("我的密钥是", "请保密"), ("line\n", "\nline")],
    ids=["alone", "in a sentence", "in brackets", "between Han signs", "on a line"],
)
def test_a_secret_is_replaced_wherever_it_stands(secret: str, mark: str, before: str, after: str) -> None:
    shown = presentable(f"{before}{secret}{after}", 400)
    assert mark in shown
    for piece in secret.replace("-", " ").replace("/", " ").split():
        assert len(piece) < 5 or piece not in shown


def test_what_stands_beside_a_number_does_not_save_it() -> None:
    """Decimals, sums, dates and small numbers stay, but not what they touch."""
    for before in ("12.5 ", "18000 / ", "2024-05-13 ", "7 ", "1 2 3 ", "0.5 0.25 "):
        shown = presentable(f"{before}4111 1111 1111 1111", 400)
        assert "4111" not in shown
        assert "[number]" in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://ana:hunter22@files.example.org/x", "see https://[key]/x"),
        ("https://example.org/a?page=2&access_token=Zm9vYmFy&lang=en",
         "https://example.org/a?page=2&access_token=[key]&lang=en"),
        ("https://example.org/#id_token=Zm9vYmFy", "https://example.org/#id_token=[key]"),
        ("https://hooks.slack.com/services/TAAAAAAAA/BAAAAAAAA/abcdefghijklmnop",
         "https://hooks.slack.com/services/[key]"),
        ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer [key]"),
        ("password: hunter22x and more", "password: [key] and more"),
        ('{"api_key": "q1w2e3r4t5"}', '{"api_key": "[key]"}'),
        ("我的密码：qwerty12", "我的密码：[key]"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMIIEab12\nCd==\n-----END RSA PRIVATE KEY----- b", "a [key] b"),
        ("a -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwggSjAgEAAoIB", "a [key]"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + "aB3dEf/7" * 8 + "\nab12\n"
         "-----END RSA PRIVATE KEY----- b", "a [key]\nProc-Type: 4,ENCRYPTED\n\n[key]\n[key] b"),
        ("пароль: qwerty12", "пароль: [key]"),
        ("kept\nAb12==\n-----END PRIVATE KEY-----", "kept\n[key]"),
    ],
)  # fmt: skip
def test_a_secret_with_a_name_leaves_the_name(text: str, shown: str) -> None:
    assert presentable(text, 400) == shown


@pytest.mark.parametrize(
    "text",
    [
        "skateboarding and skepticism in Pakistan",
        "print(x[1::2], y[::-1], std::vector<int>{})",
        "between 12:30:45 and 13:00:00, on 2024-05-13, for 1,250.50 euros",
        "on 2024-05-13 10:30, 13.05.2024 11:00 and 2024-05-13 2024-05-14; in 2019 2020 2021 2022",
        "see src/components/navigation/header/index.html, then version 3.11.2",
        "version 1.2.3.4, v10.0.19041.1, 1.2.3.4.5.6.7.8.9 and timecode 12:30:45:10",
        "a = b @ c; pkg_resources; the key performance indicators; 100000",
        "def test_utf8_names_of_more_than_32_characters_are_left(): pk_customers_orders_2024",
        "pi is 3.14159265358979; 0.12 0.55 0.98 0.34 0.1; arXiv 2305.12345; 1/3 + 22/7; 200 - 42 - 18 - 14",
        "0 0 1 0 1 1 0 0\n2 0 1 0 1 1 0 2",
        "max_tokens=4096, token = next_token(stream2), password: str",
        "请写一首关于春天的诗，然后翻译成英文。",
        "rate from 1 to 10: 7; call 112; in 1984; room 1234-5678",
    ],
)
def test_ordinary_writing_stays_as_it_is(text: str) -> None:
    assert presentable(text, 400) == text


@pytest.mark.parametrize("sign", ["\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", "\U000e0041"])
def test_unseen_signs_vanish_and_hide_no_secret(sign: str) -> None:
    shown = presentable(f"write to an{sign}a@exam{sign}ple.org{sign} today", 400)
    assert shown == "write to [mail] today"


def test_control_signs_become_spaces_and_lines_stay_lines() -> None:
    shown = presentable("one\r\ntwo\tthree\x00four\x1b[31mfive\x9bsix\u2028seven", 400)
    assert shown == "one\ntwo\tthree four [31mfive six seven"


@pytest.mark.parametrize("at", range(780, 830))
def test_a_secret_across_the_cut_is_never_half_shown(at: int) -> None:
    """The page ends at 1,200 characters, the first part of it at 800: the secret stands there."""
    secret = "sk-proj-4fQ9aZ81kLmN0pQr2sTu"
    shown = presentable(f"{'x ' * (at // 2)}{secret} {'y ' * 2_000}", 1_200)
    assert "sk-" not in shown
    assert not any(secret[start : start + 6] in shown for start in range(len(secret) - 6))


def test_a_secret_where_reading_ends_is_never_half_shown() -> None:
    """Everything before it shrinks to one mark, so that the end of what is read comes into view."""
    mail = "ana.diaz@mail.example.org"
    for at in range(-1_100, 60, 7):
        long_key = "a1" * (4 * 1_200 + (MARGIN_CHARS + at) // 2)
        shown = presentable(f"{long_key} mine: {mail} {'z ' * 40_000} {mail} {long_key}", 1_200)
        rest = shown.replace("[mail]", "").replace("[key]", "")
        assert not any(piece in rest for piece in ("ana", "diaz", "mail", "example", "ple", "org"))


def test_unseen_signs_do_not_use_up_the_margin() -> None:
    """The margin is counted in what is left: a secret stretched over it is still seen as a whole."""
    card = "4111" + "\u200b" * 2_000 + " 1111" + "\u200b" * 2_000 + " 1111 1111"
    for at in range(0, 12_000, 199):
        shown = presentable(f"{'a1' * (at // 2)} {card} {'z ' * 40_000}", 1_200)
        assert "4111" not in shown.replace("[key]", "")


def _planted(number: int) -> list[str]:
    """Secrets made of a number, of every kind: none is like another, all are like real ones."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    digits = str(int(digest, 16))
    return [
        f"u{digest[:7]}.q@h{digest[7:12]}.example.org",
        f"sk-proj-{digest[:40]}",
        f"ghp_{digest[:36]}",
        digest,
        "".join(chr(ord(sign) + 0xFEE0) for sign in f"ghp_{digest[:36]}"),
        f"4{digits[1:4]} {digits[4:8]} {digits[8:12]} {digits[12:16]}",
        f"4{digits[1:4]}-{digits[4:8]}-{digits[8:12]}-{digits[12:16]}",
        f"5{digits[1:16]}",
        f"+49 30 {digits[3:6]} {digits[6:10]}",
        f"DE{digits[3:5]} {digits[5:9]} {digits[9:13]} {digits[13:17]} {digits[17:21]} {digits[21:23]}",
        f"https://u:{digest[:16]}@example.org",
        f"password={digest[:11]}x1",
        f"2001:db8:{digest[:4]}:{digest[4:8]}:{digest[8:12]}:{digest[12:16]}:{digest[16:20]}:{digest[20:24]}",
        f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}",
    ]


_BODIES = st.lists(
    st.sampled_from(
        ["so ", "be it, ", "春天", "\n", "a1" * 200, "\u200b" * 50, "x" * 60 + " ", "# ", "“", "7. "]
    ),
    max_size=60,
).map("".join)


@given(st.integers(0, 10**6), st.integers(0, 13), _BODIES, _BODIES, st.integers(8, 90), st.integers(0, 2_400))
@settings(deadline=None, max_examples=300)
def test_a_planted_secret_never_survives(
    number: int, kind: int, before: str, after: str, most_chars: int, padding: int
) -> None:
    """Wherever it stands, wherever reading ends and wherever the cut falls."""
    secret = _planted(number)[kind]
    for text in (
        f"{before} {secret} {after}",
        f"{before} {secret} {'y ' * 2_400}",
        f"{'y ' * padding} {secret}",
    ):
        shown = presentable(text, most_chars)
        assert len(shown) <= most_chars
        hidden = secret.removeprefix("password=").removeprefix("https://")
        assert not any(hidden[at : at + 7] in shown for at in range(len(hidden) - 6)), shown


@given(
    st.lists(
        st.one_of(
            st.text("a1. -:@/+[]…=kA\n٤春", max_size=40),
            st.sampled_from(["password: ", "[mail]", "-----END PRIVATE KEY-----", "1.2.3.4", "Bearer "]),
            st.integers(0, 10**4).map(lambda number: _planted(number)[number % 14]),
        ),
        max_size=12,
    ).map("".join),
    st.integers(8, 120),
)
@settings(deadline=None, max_examples=400)
def test_shown_once_more_it_stays_as_it_is(text: str, most_chars: int) -> None:
    shown = presentable(text, most_chars)
    assert presentable(shown, most_chars) == shown
    assert len(shown) <= most_chars


@given(st.text(max_size=400), st.integers(8, 120))
@settings(deadline=None, max_examples=200)
def test_what_is_shown_fits_and_has_no_control_signs(text: str, most_chars: int) -> None:
    shown = presentable(text, most_chars)
    assert len(shown) <= most_chars
    assert not any(ord(sign) < 32 and sign not in "\n\t" for sign in shown)
    assert not any(sign in shown for sign in "\u200b\u202e\u2066")


def test_head_and_tail_of_a_long_text_are_shown() -> None:
    shown = presentable("begin " + "x " * 5_000 + "finish", 100)
    assert shown.startswith("begin x x")
    assert shown.endswith("x x finish")
    assert " … " in shown
    assert len(shown) == 100


HOSTILE = {
    "a megabyte of words": "lorem ipsum " * 90_000,
    "letters": "a" * 1_000_000,
    "letters and digits": "a1" * 500_000,
    "almost keys": "a1-b2-" * 5 + "! " * 500_000,
    "digits with spaces": "1 " * 500_000,
    "digits of another script": "\u0661" * 1_000_000 + "a",
    "a number that is none": "1" * 1_000_000 + "a",
    "almost mail": "a.a@" * 250_000,
    "mail without an end": "a@" + "a." * 500_000,
    "half an address": "1." * 500_000,
    "colons": "abc:" * 250_000,
    "double colons": "abcd::" * 160_000,
    "base 64 with slashes": "ab/CD/" * 160_000,
    "brackets": "(" * 1_000_000,
    "beginnings of blocks": "-----BEGIN PRIVATE KEY-----" * 40_000,
    "ends of blocks": "a -----END PRIVATE KEY----- " * 40_000,
    "lines of a key": ("Ab1/" * 16 + "\n") * 16_000,
    "names of secrets": "password: " * 100_000,
    "addresses of the web": "http://a:b" * 100_000,
    "parameters": "?token=" * 140_000,
    "accounts of a bank": "DE89 3704 " * 100_000,
    "dates": "2024-05-13 " * 90_000,
    "decimals": "0.5 " * 250_000,
    "sums": "1 - " * 250_000,
    "fours": "2024 " * 200_000,
    "a plus and digits": "+1" * 500_000,
    "unseen signs": "\u200b" * 1_000_000,
    "signs without spaces": "春" * 1_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_megabyte_costs_no_more_than_a_page(text: str) -> None:
    start = time.process_time()
    shown = presentable(text, 1_200)
    assert len(shown) <= 1_200
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "a megabyte of words"])
def test_no_pattern_is_more_than_linear(name: str) -> None:
    """All of the text is read here: four times as much may not take much more than four times as long."""
    seconds = []
    for n_chars in (20_000, 80_000):
        start = time.process_time()
        presentable(HOSTILE[name][:n_chars], n_chars)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 12 * seconds[0] + 0.05
