"""Prompts as hashes: what counts as the same, and what does not."""

from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers.texts import prefix_hash, shingles


def _prefixes(*texts: str | None) -> list[int | None]:
    return (
        pl.DataFrame({"prompt": texts}, schema={"prompt": pl.String})
        .select(prefix_hash())["prompt"]
        .to_list()
    )


def test_digits_case_and_blanks_do_not_tell_prefixes_apart():
    first, same, other, none = _prefixes("Grade  item 17: yes", "grade item 93: YES", "Grade this: yes", None)
    assert first == same != other
    assert none is None


def test_what_follows_the_first_fifty_characters_does_not_count():
    head = "a" * 50
    first, same = _prefixes(head + " one thing", head + " quite another")
    assert first == same


def test_a_shared_sentence_leaves_shared_shingles_wherever_it_stands():
    rows, hashes = shingles(pl.Series(["so: write it step by step", "write it step by step now"]), 4, 1)
    texts = [set(hashes[rows == row].tolist()) for row in (0, 1)]
    assert len(texts[0]) == 3
    assert len(texts[0] & texts[1]) == 2


def test_an_absent_prompt_has_no_shingle():
    rows, _ = shingles(pl.Series([None, "one two three four", ""]), 4, 1)
    assert rows.tolist() == [1]


@given(st.lists(st.lists(st.sampled_from(["aa", "Bb", "77", "c3"]), max_size=9), min_size=1, max_size=5))
def test_runs_are_as_many_and_as_different_as_a_slow_count_says(texts: list[list[str]]):
    rows, hashes = shingles(pl.Series([" - ".join(words) for words in texts], dtype=pl.String), 2, 1)
    slow = [
        (row, first.lower(), second.lower())
        for row, words in enumerate(texts)
        for first, second in pairwise(words)
    ]
    assert rows.tolist() == [row for row, _, _ in slow]
    assert len(set(hashes.tolist())) == len({(first, second) for _, first, second in slow})
