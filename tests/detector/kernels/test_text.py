"""The text kernel does what tests/reference/text.py says, on every kind of text."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.kernels.linear import N_PARTS
from detector.kernels.text import END_SHINGLES, LONGEST_GAP, N_KEPT, SHINGLE_TOKENS, SHORT_TOKENS
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


def agrees(prints: Fingerprints, row: int, data: bytes, secret: slow.Secret = slow.OPEN) -> None:
    text = slow.decoded(data)
    tokens = slow.tokens(text)
    hashes = [slow.token_hash(token) for token in tokens]
    keyed = [slow.keyed_hash(token, secret) for token in tokens]
    parts = slow.features(hashes, N_BUCKETS)
    assert prints.n_bytes[row].as_py() == len(data)
    assert prints.n_tokens[row].as_py() == len(tokens)
    assert prints.text_hash[row].as_py() == slow.text_hash(tokens, secret)
    assert SCRIPTS[prints.script[row].as_py()] == slow.dominant_script(text)
    assert prints.shingles[row].as_py() == slow.kept_shingles(keyed)
    assert prints.n_features[row].tolist() == [len(part) for part in parts]
    assert prints.sums[row].tolist() == [WEIGHTS[part].sum(axis=0, dtype=np.int64).tolist() for part in parts]


SECRETS = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**63 - 1).map(lambda half: 2 * half + 1))


@settings(deadline=None, max_examples=120)
@given(st.lists(TEXTS, min_size=1, max_size=4), SECRETS)
@example([""], slow.OPEN)
@example(["a"], (0, 1))
@example(["1", "", "的", "\U0010ffff"], (2**64 - 1, 2**64 - 1))
def test_the_kernel_agrees_with_the_definition(texts, secret):
    datas = [text.encode("utf-8", "replace") for text in texts]
    prints = fingerprint(array_of(datas), weights=WEIGHTS, secret=np.array(secret, np.uint64))
    for row, data in enumerate(datas):
        agrees(prints, row, data, secret)


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
    data = "".join(random.choice(list(ALPHABETS[name] + "  "), 8_000)).encode()
    prints = fingerprint(array_of([data]), weights=WEIGHTS)
    agrees(prints, 0, data)
    if name in ("latin", "han"):
        assert len(prints.shingles[0].as_py()) == N_KEPT


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 9), st.integers(1_000, 2_500), st.integers(0, 2**32))
def test_of_many_equal_shingles_in_a_long_middle_the_first_are_kept(n_words, n_tokens, seed):
    """Few words make few shingles, each over and over: the largest that is kept has equals that are not."""
    data = " ".join(np.random.default_rng(seed).choice(list("abcdefghi")[:n_words], n_tokens)).encode()
    agrees(fingerprint(array_of([data]), weights=WEIGHTS), 0, data)


@pytest.mark.parametrize("n_tokens", [SHINGLE_TOKENS - 1, SHINGLE_TOKENS, SHINGLE_TOKENS + 1, SHORT_TOKENS])
def test_a_short_text_keeps_all_its_shingles(n_tokens):
    words = [f"{first}{second}" for first in "abcdef" for second in "uvwxyz"]
    short, longer = (" ".join(words[:n]) for n in (n_tokens, SHORT_TOKENS + 1))
    prints = fingerprint(pa.array([short, longer]))
    assert len(prints.shingles[0]) == max(1, n_tokens - SHINGLE_TOKENS + 1)
    assert len(prints.shingles[1]) < SHORT_TOKENS - SHINGLE_TOKENS + 2


MEGABYTE = 1 << 20
LARGE_TEXTS = {
    "different words": lambda: " ".join(
        np.random.default_rng(2).choice([a + b for a in "bdfgklmn" for b in "aeiouwxyz"], MEGABYTE // 3)
    ),
    "one word, over and over": lambda: "again " * (MEGABYTE // 6),
    "a single word": lambda: "a" * MEGABYTE,
    "a single number": lambda: "7" * MEGABYTE,
    "nothing but blanks": lambda: " " * MEGABYTE,
    "signs that stand alone": lambda: "的一是不了人" * (MEGABYTE // 18),
    "a document": lambda: (
        "".join(f"word{number} of a long document, " for number in range(MEGABYTE // 26)) + "the last words"
    ),
}


@pytest.mark.parametrize("name", LARGE_TEXTS)
def test_a_megabyte_is_read_to_its_end(name):
    """Beside a text of one word on either side: rows do not disturb each other, whatever their lengths."""
    datas = [b"before", LARGE_TEXTS[name]().encode(), b"after"]
    prints = fingerprint(array_of(datas), weights=WEIGHTS)
    for row, data in enumerate(datas):
        agrees(prints, row, data)


@settings(deadline=None, max_examples=40)
@given(TEXTS, st.integers(0, 60))
def test_a_text_is_read_as_far_as_asked(text, max_bytes):
    data = text.encode("utf-8", "replace")
    cut = fingerprint(array_of([data]), max_bytes=max_bytes)
    short = fingerprint(array_of([data[:max_bytes]]))
    assert cut.text_hash == short.text_hash
    assert cut.shingles == short.shingles


OWN_WORDS = st.lists(st.sampled_from("mnopqrstuv"), min_size=15, max_size=40)


@settings(deadline=None, max_examples=200)
@given(
    shared=st.lists(
        st.sampled_from("abcdefghijkl"),
        min_size=SHINGLE_TOKENS + LONGEST_GAP - 1,
        max_size=SHINGLE_TOKENS + LONGEST_GAP - 1,
    ),
    around=st.lists(OWN_WORDS, min_size=4, max_size=4),
    secret=SECRETS,
)
def test_two_texts_that_share_a_run_share_a_fingerprint(shared, around, secret):
    """The promise of closed syncmers: no run of so many tokens goes unnoticed, wherever it stands."""
    first = " ".join([*around[0], *shared, *around[1]])
    second = " ".join([*around[2], *shared, *around[3]])
    prints = fingerprint(pa.array([first, second]), secret=np.array(secret, np.uint64))
    assert min(prints.n_tokens.to_pylist()) > SHORT_TOKENS
    kept = prints.shingles.to_pylist()
    run = slow.shingles([slow.keyed_hash(token, secret) for token in slow.tokens(" ".join(shared))])
    assert set(kept[0]) & set(kept[1]) & set(run)


@settings(deadline=None, max_examples=60)
@given(around=OWN_WORDS, behind=OWN_WORDS, secret=SECRETS)
def test_what_is_kept_of_a_passage_does_not_depend_on_what_stands_around_it(around, behind, secret):
    """All texts that hold the passage keep the same of it, the shingles across its borders apart."""
    passage = " ".join(["the quick brown fox jumps over a lazy dog and sleeps until noon"] * 3)
    texts = pa.array([f"{' '.join(around)} {passage} {' '.join(behind)}", f"{passage} {passage}"])
    within = set(slow.shingles([slow.keyed_hash(token, secret) for token in slow.tokens(passage)]))
    kept = fingerprint(texts, secret=np.array(secret, np.uint64)).shingles.to_pylist()
    ends = {*kept[1][:END_SHINGLES], *kept[1][-END_SHINGLES:]}  # kept for standing there
    assert (set(kept[0]) - ends) & within == (set(kept[1]) - ends) & within


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
