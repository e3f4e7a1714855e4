"""The text kernel does what tests/reference/text.py says, on every kind of text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.kernels.linear import N_PARTS
from detector.kernels.text import N_KEPT, SHINGLE_TOKENS, WINDOW
from detector.text.fingerprint import SCRIPTS, Fingerprints, feature_matrix_parts, fingerprint
from tests.reference import text as slow

N_BUCKETS = 64
WEIGHTS = np.random.default_rng(5).integers(-127, 128, (N_BUCKETS, 3), dtype=np.int8)

ALPHABETS = {
    "latin": "abcXYZ éßÅı.,;-_'\n\t",
    "digits": "a1b 23 ٣४７²①½.",
    "emoji": "a😀👩‍👧🇩🇪❤️ b",
    "han": "的一是不了人我在有他 。，a𠀀𮯠",
    "kana": "あいうアイウｱｲｳがガｶﾞー、 ",
    "hangul": "가각힣 나다한글a",
    "jamo": "ᄀ하ᅵᆨᇂ꺂 a",
    "thai": "กขคงาิีุู เแ่้a ",
    "right to left": "אבגד ابتثج ةىي\u200f\u200ea ",
    "devanagari": "कखगाीु्ं अ a",
    "marks": "a\u0301e\u0308 o\u0338\u034f n\u20dd",
    "invisible": "a\u200b\u200db\u2060 \ufeffc\u00ad\U000e0041 d",
    "full width": "Ａｂ１２　ｚ！ a1",
    "look-alikes": "аесорху АВЕ αο aecopxy",
    "everything": None,
}

WORDS = st.one_of(
    *(
        st.text(st.sampled_from(letters) if letters else st.characters(), max_size=40)
        for letters in ALPHABETS.values()
    )
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)


def array_of(texts: list[bytes]) -> pa.StringArray:
    """A string array of any bytes: logs need not be UTF-8, and Arrow does not look."""
    binary = pa.array(texts, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(texts), binary.buffers())


def agrees(prints: Fingerprints, row: int, data: bytes) -> None:
    text = slow.decoded(data)
    tokens = slow.tokens(text)
    hashes = [slow.token_hash(token) for token in tokens]
    parts = slow.features(hashes, N_BUCKETS)
    assert prints.n_bytes[row].as_py() == len(data)
    assert prints.n_tokens[row].as_py() == len(tokens)
    assert prints.text_hash[row].as_py() == slow.text_hash(tokens)
    assert SCRIPTS[prints.script[row].as_py()] == slow.dominant_script(text)
    assert prints.shingles[row].as_py() == slow.winnowed(hashes)
    assert prints.n_features[row].tolist() == [len(part) for part in parts]
    assert prints.sums[row].tolist() == [WEIGHTS[part].sum(axis=0, dtype=np.int64).tolist() for part in parts]


@settings(deadline=None, max_examples=120)
@given(st.lists(TEXTS, min_size=1, max_size=4))
@example([""])
@example(["a"])
@example(["1", "", "的", "\U0010ffff"])
def test_the_kernel_agrees_with_the_definition(texts):
    datas = [text.encode("utf-8", "replace") for text in texts]
    prints = fingerprint(array_of(datas), weights=WEIGHTS)
    for row, data in enumerate(datas):
        agrees(prints, row, data)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from([b"ab ", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]),
            ),
            max_size=8,
        ).map(b"".join),
        min_size=1,
        max_size=4,
    )
)
@example([b"\xff\xfe", b"\xc0\xaf", b"good \xe4\xb8", b"\xe1\x84\x80\xe1\x85"])
def test_bytes_that_are_not_utf8_are_gaps_between_words(datas):
    prints = fingerprint(array_of(datas), weights=WEIGHTS)
    for row, data in enumerate(datas):
        agrees(prints, row, data)


@pytest.mark.parametrize("name", [name for name, letters in ALPHABETS.items() if letters])
def test_long_texts_keep_both_their_ends(name):
    """Long enough that fingerprints and features of the middle are left out."""
    random = np.random.default_rng(11)
    data = "".join(random.choice(list(ALPHABETS[name] + "  "), 4_000)).encode()
    prints = fingerprint(array_of([data]), weights=WEIGHTS)
    agrees(prints, 0, data)
    if name in ("latin", "han"):
        assert len(prints.shingles[0].as_py()) == N_KEPT


def test_a_megabyte_is_read_to_its_end():
    data = (
        b"".join(b"word%d of a long document, " % (number % 977) for number in range(40_000))
        + b"the last words"
    )
    assert len(data) > 1_000_000
    agrees(fingerprint(array_of([data]), weights=WEIGHTS), 0, data)


@settings(deadline=None, max_examples=40)
@given(TEXTS, st.integers(0, 60))
def test_a_text_is_read_as_far_as_asked(text, max_bytes):
    data = text.encode("utf-8", "replace")
    cut = fingerprint(array_of([data]), max_bytes=max_bytes)
    short = fingerprint(array_of([data[:max_bytes]]))
    assert cut.text_hash == short.text_hash
    assert cut.shingles == short.shingles


@settings(deadline=None, max_examples=60)
@given(
    shared=st.lists(st.sampled_from("abcdefghijkl"), min_size=SHINGLE_TOKENS + WINDOW - 1, max_size=30),
    around=st.lists(st.lists(st.sampled_from("mnopqrstuv"), max_size=40), min_size=4, max_size=4),
)
def test_two_texts_that_share_a_run_share_a_fingerprint(shared, around):
    """The promise of winnowing: no run of eleven tokens goes unnoticed, wherever it stands."""
    first = " ".join([*around[0], *shared, *around[1]])
    second = " ".join([*around[2], *shared, *around[3]])
    prints = fingerprint(pa.array([first, second])).shingles.to_pylist()
    assert set(prints[0]) & set(prints[1])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(TEXTS, st.none()), max_size=5))
def test_training_sees_the_very_features_that_scoring_adds_up(texts):
    columns, starts = feature_matrix_parts(pa.array(texts, pa.string()), n_buckets=N_BUCKETS)
    prints = fingerprint(pa.array(texts, pa.string()), weights=WEIGHTS)
    for row in range(len(texts)):
        for part in range(N_PARTS):
            at = N_PARTS * row + part
            mine = columns[starts[at] : starts[at + 1]]
            assert len(mine) == prints.n_features[row, part]
            assert WEIGHTS[mine].sum(axis=0, dtype=np.int64).tolist() == prints.sums[row, part].tolist()


@pytest.mark.parametrize("n_words", [63, 64, 65, 128, 129, 192, 255, 257, 320, 383, 384, 385, 386, 900])
def test_head_tail_and_middle_meet_where_the_definition_says(n_words):
    """Words of many kinds, so that every part is full, and some that recur, so that the cap is met."""
    words = [f"w{chr(97 + n % 23)}{chr(97 + n // 23 % 26)}" if n % 5 else "again" for n in range(n_words)]
    data = " ".join(words).encode()
    agrees(fingerprint(array_of([b"before", data, data]), weights=WEIGHTS), 2, data)
