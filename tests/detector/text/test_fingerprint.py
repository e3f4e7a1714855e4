"""Stories about fingerprints: what an evader changes and what stays the same."""

import unicodedata
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text.fingerprint import SCRIPTS, Fingerprints, fingerprint, secret_of
from tests.reference import text as slow

TEMPLATE = "Write a detailed solution to the following problem and explain every step of your reasoning"


def prints_equal(left: Fingerprints, right: Fingerprints) -> bool:
    return (
        left.text_hash == right.text_hash
        and left.n_tokens == right.n_tokens
        and left.n_bytes == right.n_bytes
        and left.script == right.script
        and left.shingles == right.shingles
        and np.array_equal(left.sums, right.sums)
        and np.array_equal(left.n_features, right.n_features)
    )


def look_alike(text: str) -> str:
    return text.translate(str.maketrans("aeopcxyE", "аеорсхуЕ"))


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


@pytest.mark.parametrize(
    "disguise",
    [
        pytest.param(str.upper, id="capitals"),
        pytest.param(lambda text: text.replace(" ", "  \n\t"), id="blanks"),
        pytest.param(lambda text: text.replace(" ", ", "), id="punctuation"),
        pytest.param("\u200b".join, id="zero-width spaces inside words"),
        pytest.param(lambda text: text.replace("e", "e\u00ad"), id="soft hyphens"),
        pytest.param(lambda text: text.replace("i", "\u2060i\ufeff"), id="word joiners"),
        pytest.param("\u0336".join, id="struck-through letters"),
        pytest.param(lambda text: text.replace("o", "ò"), id="accents"),
        pytest.param(lambda text: text.replace("o", "o\u0300"), id="combining accents"),
        pytest.param(full_width, id="full-width letters"),
        pytest.param(look_alike, id="Cyrillic look-alikes"),
        pytest.param(lambda text: text + "\U000e0041\U000e0042", id="invisible tags"),
        pytest.param(
            lambda text: text.replace("fi", "ﬁ").replace("w", "𝐰"), id="ligatures and mathematical letters"
        ),
    ],
)
def test_a_disguise_leaves_the_fingerprint_as_it_was(disguise):
    worn = disguise(TEMPLATE)
    assert worn != TEMPLATE
    plain, disguised = fingerprint(pa.array([TEMPLATE])), fingerprint(pa.array([worn]))
    assert disguised.shingles == plain.shingles
    assert disguised.text_hash == plain.text_hash


@pytest.mark.parametrize(
    "text",
    [
        "각 나라의 수도를 한 줄씩 설명해 주세요",
        "がぎぐ パピプ を説明してください",
        "Überprüfe die Lösung, à côté",
        "Объясни ещё й раз",
        "\u0958लम से हिन्दी में लिखें",
        "Giải thích từng bước",
        "اشرح آلية العمل أولاً",
    ],
)
def test_decomposed_text_reads_like_composed_text(text):
    decomposed = unicodedata.normalize("NFD", text)
    assert decomposed != text
    prints = fingerprint(pa.array([text, decomposed]))
    assert prints.text_hash[0] == prints.text_hash[1]
    assert prints.shingles[0] == prints.shingles[1]


def test_items_of_one_template_differ_as_texts_and_agree_as_templates():
    prints = fingerprint(
        pa.array(["Solve exercise 17 of chapter 3 now", "Solve exercise 208 of chapter 4 now"])
    )
    assert prints.shingles[0] == prints.shingles[1]
    assert prints.text_hash[0] != prints.text_hash[1]


def test_a_slot_in_the_middle_leaves_the_frame_recognisable():
    payloads = ["the capital of Peru " * 9, "why leaves turn yellow " * 30, "光合成とは何か" * 20]
    frames = [
        f"{TEMPLATE}\n\n{payload}\n\nReturn the answer as JSON with two keys, please" for payload in payloads
    ]
    kept = [set(row) for row in fingerprint(pa.array(frames)).shingles.to_pylist()]
    # the first shingle, the last, and of fourteen words of the opening one shingle in four at least
    assert len(kept[0] & kept[1] & kept[2]) >= 4


def test_two_keys_have_nothing_in_common_and_one_key_is_always_the_same():
    texts = pa.array([TEMPLATE, "another text of a few words of its own", "short"])
    one, other = (fingerprint(texts, secret=secret_of(key)) for key in (b"one workspace", b"another"))
    again = fingerprint(texts, secret=secret_of(b"one workspace"))
    assert prints_equal(one, again)
    assert not set(one.text_hash.to_pylist()) & set(other.text_hash.to_pylist())
    assert not set(one.shingles.flatten().to_pylist()) & set(other.shingles.flatten().to_pylist())
    assert secret_of(b"one workspace")[1] % 2 == 1
    assert prints_equal(fingerprint(texts), fingerprint(texts, secret=secret_of(b"")))


def test_a_key_changes_no_features():
    """The weights were trained elsewhere: sums are of the hashes that are the same everywhere."""
    weights = np.random.default_rng(3).integers(-9, 9, (256, 4), dtype=np.int8)
    texts = pa.array([TEMPLATE, "another text of a few words of its own"])
    one, other = (fingerprint(texts, weights=weights, secret=secret_of(key)) for key in (b"", b"a key"))
    assert np.array_equal(one.sums, other.sums)
    assert one.n_tokens == other.n_tokens
    assert one.script == other.script


def words_that_hash_alike() -> list[str]:
    """Words of sixteen letters that have one public hash.

    The trick against hashes that xor and multiply: the last letter of eight is the top of a word of 64 bits,
    and what differs there still differs in the top alone after a multiplication, where the last letter of
    the next eight takes it back.
    """
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [f"aaaaaaa{one}bbbbbbb{other}" for one in letters for other in letters]
    by_hash = defaultdict(list)
    for word in words:
        (token,) = slow.tokens(word)
        by_hash[slow.token_hash(token)].append(word)
    return max(by_hash.values(), key=len)


def test_words_made_to_hash_alike_do_so_in_public_and_under_no_key():
    alike = words_that_hash_alike()
    assert len(alike) >= 2
    weights = np.random.default_rng(3).integers(-99, 99, (1 << 16, 4), dtype=np.int8)
    frames = pa.array([f"tell me what the word {word} means to you" for word in alike])
    public = fingerprint(frames, weights=weights)
    assert (public.sums == public.sums[0]).all()  # the classifier cannot tell them apart
    for number in range(500):
        prints = fingerprint(frames, secret=secret_of(b"key %d" % number))
        assert len(set(prints.text_hash.to_pylist())) == len(alike)
        kept = prints.shingles.to_pylist()
        # The six shingles without the word are common, the four with it are each word's own.
        assert [len(set(row)) for row in kept] == [6] * len(alike)
        assert len({tuple(row[2:]) for row in kept}) == len(alike)


@pytest.mark.parametrize("bit", range(5))
def test_no_pair_of_letters_hides_a_difference_under_a_key(bit):
    """All 676 words of the trick, with the same bit of both last letters flipped, over many keys."""
    flipped = [chr(letter ^ 1 << bit) for letter in range(ord("a"), ord("z") + 1)]
    pairs = [(chr(letter), other) for letter, other in zip(range(97, 123), flipped, strict=True)]
    pairs = [(one, other) for one, other in pairs if "a" <= other <= "z"]
    one = [f"aaaaaaa{first}bbbbbbb{second}" for first, _ in pairs for second, _ in pairs]
    other = [f"aaaaaaa{first}bbbbbbb{second}" for _, first in pairs for _, second in pairs]
    for number in range(40):
        secret = secret_of(b"key %d" % number)
        left, right = (fingerprint(pa.array(words), secret=secret).text_hash for words in (one, other))
        assert not (left.to_numpy() == right.to_numpy()).any()


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("hello", "latin"),
        ("привет, мир", "cyrillic"),
        ("γειά σου", "greek"),
        ("مرحبا", "arabic"),
        ("שלום", "hebrew"),
        ("नमस्ते", "devanagari"),
        ("你好", "han"),
        ("ひらがな", "kana"),
        ("안녕", "hangul"),
        ("สวัสดี", "thai"),
        ("12 + 30 = 42 🙂", "none"),
        ("", "none"),
        ("ok 你好世界", "han"),
    ],
)
def test_the_script_is_that_of_most_letters(text, script):
    assert SCRIPTS[fingerprint(pa.array([text])).script[0].as_py()] == script


def test_a_hindi_word_is_one_token():
    """Its vowel signs are spacing marks, part of the word."""
    assert fingerprint(pa.array(["हिन्दी में लिखिए"])).n_tokens.to_pylist() == [3]


def test_an_absent_text_is_null_and_an_empty_one_is_not():
    prints = fingerprint(pa.array([None, "", "a b"]))
    assert prints.text_hash.is_null().to_pylist() == [True, False, False]
    assert prints.n_tokens.to_pylist() == [None, 0, 2]
    assert prints.shingles.is_null().to_pylist() == [True, False, False]
    assert prints.shingles[1].as_py() == []
    assert prints.n_bytes.to_pylist() == [None, 0, 3]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=20),
    st.integers(0, 20),
    st.integers(0, 20),
    st.sampled_from([pa.string(), pa.large_string()]),
)
def test_a_slice_reads_like_a_copy_of_it(texts, start, length, kind):
    texts = [None if text is None else text.encode("utf-8", "replace").decode() for text in texts]
    sliced = pa.array(texts, kind).slice(start, length)
    copied = pa.array(sliced.to_pylist(), pa.string())
    assert prints_equal(fingerprint(sliced), fingerprint(copied))


def test_two_threads_find_what_one_finds():
    texts = pa.array(
        [f"request number {n} asks about {n % 7} and {'more ' * (n % 50)}" for n in range(9_000)]
    )
    weights = np.random.default_rng(3).integers(-9, 9, (256, 4), dtype=np.int8)
    assert prints_equal(
        fingerprint(texts, weights=weights, threads=1), fingerprint(texts, weights=weights, threads=2)
    )


def test_what_is_no_string_array_is_refused():
    with pytest.raises(TypeError, match="expected a string array, not int64"):
        fingerprint(pa.array([1, 2]))
    with pytest.raises(ValueError, match="power of two"):
        fingerprint(pa.array(["a"]), weights=np.zeros((3, 1), np.int8))


def test_no_texts_have_no_fingerprints():
    prints = fingerprint(pa.array([], pa.string()))
    assert len(prints.text_hash) == len(prints.shingles) == len(prints.sums) == 0
