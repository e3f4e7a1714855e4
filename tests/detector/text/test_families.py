"""Template families: what many accounts' texts share around changing slots, and who belongs to what."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from detector.text import Families, find_families
from detector.text.families import NEAR
from detector.text.fingerprint import secret_of
from tests.detector.text.speech import OTHER, TEMPLATE, WORDS, Prompt, Speech, crowd, families_of, made_by
from tests.reference.families import Text, find_families_slow

# --- the definition ----------------------------------------------------------------------------------------

Drawn = list[tuple[int, tuple[int, ...]]]
"""(account, shingles): a text's hash follows from its shingles, as it does in a log."""

DRAWN = st.lists(
    st.tuples(st.integers(0, 7), st.lists(st.integers(0, 11), max_size=7).map(tuple)), min_size=1, max_size=40
)


@st.composite
def templated(draw: st.DrawFn) -> Drawn:
    """Nights of a few templates, pieces of which come and go: what the rounds of joining are for."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    lost = draw(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6]))
    common = list(range(900, 900 + draw(st.integers(0, 6))))
    rows = []
    for template in range(draw(st.integers(1, 4))):
        first = 100 * template
        pieces = list(range(first, first + draw(st.integers(2, 24))))
        pieces = common + pieces if draw(st.booleans()) else pieces + pieces[:3]
        for n in range(draw(st.sampled_from([5, 12, 30]))):
            kept = [piece for piece in pieces if random.random() >= lost]
            slot = random.integers(1_000, 1_020, random.integers(0, 4)).tolist()
            at = int(random.integers(0, len(kept) + 1))
            rows.append((int(n % draw(st.sampled_from([5, 9]))), (*kept[:at], *slot, *kept[at:])))
    return rows


def drawn_families(rows: Iterable[tuple[int, tuple[int, ...]]], threads: int = 1) -> Families:
    texts = drawn_texts(rows)
    return find_families(
        np.array([shingle for text in texts for shingle in text.shingles], np.uint32),
        np.cumsum([0, *(len(text.shingles) for text in texts)], dtype=np.int64),
        np.array([text.account for text in texts], np.int32),
        np.array([text.text_hash for text in texts], np.uint64),
        threads=threads,
    )


def drawn_texts(rows: Iterable[tuple[int, tuple[int, ...]]]) -> list[Text]:
    return [Text(account, hash(shingles) % 2**64, shingles) for account, shingles in rows]


def belonging(of_text: np.ndarray, held: np.ndarray) -> list[list[tuple[int, int]]]:
    """Each text's families and how much of each it holds; nothing may follow a family that is none."""
    texts = []
    for families, counts in zip(of_text.tolist(), held.tolist(), strict=True):
        n = sum(family >= 0 for family in families)
        assert families[n:] == [-1] * (len(families) - n)
        assert counts[n:] == [0] * (len(families) - n)
        texts.append(list(zip(families[:n], counts[:n], strict=True)))
    return texts


STAMMERED: Drawn = [
    (n, (1, *(10 + n % 2, 100 + n) * NEAR, 2, *(20 + n % 2, 100 + n) * NEAR, 3)) for n in range(10)
]
"""Three pieces around two slots, filled with one of two phrases over and over between words of their own."""


@given(st.one_of(DRAWN, templated(), templated()), st.sampled_from([1, 2, 3]))
@example(STAMMERED, 1)
@settings(deadline=None, max_examples=120)
def test_families_agree_with_the_definition_on_any_number_of_threads(rows: Drawn, threads: int) -> None:
    found = drawn_families(rows, threads)
    families, belongs = find_families_slow(drawn_texts(rows))
    assert [found.index.shingles_of(number).tolist() for number in range(len(found))] == [
        family.shingles for family in families
    ]
    assert found.index.least_held.tolist() == [family.least_held for family in families]
    assert found.index.n_texts.tolist() == [family.n_texts for family in families]
    assert belonging(found.of_text, found.held) == belongs


@given(st.one_of(DRAWN, templated()), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=25)
def test_the_order_of_requests_changes_nothing(rows: Drawn, random) -> None:
    shuffled = random.sample(range(len(rows)), len(rows))
    one, other = drawn_families(rows), drawn_families([rows[at] for at in shuffled])
    assert_array_equal(one.index.shingles, other.index.shingles)
    assert_array_equal(one.index.starts, other.index.starts)
    assert_array_equal(one.of_text[shuffled], other.of_text)
    assert_array_equal(one.held[shuffled], other.held)


def test_a_phrase_said_over_and_over_in_a_slot_is_one_step_from_piece_to_piece() -> None:
    found = drawn_families(STAMMERED)
    assert [found.index.shingles_of(number).tolist() for number in range(len(found))] == [[1, 2, 3]]
    assert found.best.tolist() == [0] * len(STAMMERED)


def test_threads_change_nothing() -> None:
    say = Speech()
    prompts = made_by(lambda: f"{TEMPLATE}: {say(20)}") + made_by(lambda: f"{say(20)} {OTHER}", first=50)
    prompts = (prompts + crowd(say)) * 300  # more than one task's worth of rows
    assert len(prompts) > 65_536
    alone, together = families_of(prompts), families_of(prompts, threads=3)
    assert len(alone) == 2
    assert_array_equal(alone.index.shingles, together.index.shingles)
    assert_array_equal(alone.of_text, together.of_text)
    assert_array_equal(alone.held, together.held)


def test_a_night_without_texts_has_no_families() -> None:
    assert len(drawn_families([])) == 0
    silent = drawn_families([(account, ()) for account in range(9)])
    assert (len(silent), silent.best.tolist()) == (0, [-1] * 9)


def test_arrays_that_do_not_fit_are_refused() -> None:
    account, text_hash = np.zeros(2, np.int32), np.zeros(2, np.uint64)
    for starts in ([0, 1], [0, 1, 2]):
        with pytest.raises(ValueError, match="starts"):
            find_families(np.zeros(3, np.uint32), np.array(starts, np.int64), account, text_hash)


def test_hundreds_of_templates_fill_larger_tables_and_stay_apart() -> None:
    """A hundred templates of 600 shingles each: the first table holds half of them."""
    texts = [(5 * t + n, range(600 * t, 600 * (t + 1))) for t in range(100) for n in range(5)]
    found = drawn_families([(account, tuple(shingles)) for account, shingles in texts])
    assert np.diff(found.index.starts).tolist() == [600] * 100
    assert found.best.tolist() == [t for t in range(100) for _ in range(5)]


# --- stories -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "around",
    [
        lambda slot: f"{slot} {TEMPLATE}",
        lambda slot: f"{TEMPLATE[:100]} {slot} {TEMPLATE[100:]}",
        lambda slot: f"{TEMPLATE} {slot}",
    ],
    ids=["in front", "in the middle", "at the end"],
)
@pytest.mark.parametrize("slot_words", [5, 25, 150])
def test_a_template_is_one_family_wherever_its_slot_is_and_however_long(
    around: Callable[[str], str], slot_words: int
) -> None:
    say = Speech()
    campaign, people = made_by(lambda: around(say(slot_words))), crowd(say)
    found = families_of(campaign + people)
    assert len(found) == 1
    assert (found.best[: len(campaign)] == 0).all()
    assert (found.best[len(campaign) :] == -1).all()


def test_an_instruction_around_items_that_have_a_template_of_their_own_is_seen_beside_it() -> None:
    """The items are a review bot's requests, whose template is longer than the instruction."""
    say = Speech()
    bot = f"{OTHER} {TEMPLATE[::-1]} {OTHER[::-1]}"
    campaign = made_by(lambda: f"{TEMPLATE}: {bot} {say(25)}")
    customers = made_by(lambda: f"{bot} {say(25)}", first=50)
    found = families_of(campaign + customers + crowd(say))
    inside, outside = found.of_text[: len(campaign)], found.of_text[len(campaign) :][: len(customers)]
    # Where a prompt begins all shingles are kept, so how the bot's own begins is a piece by itself.
    assert len(found) in (2, 3)
    instruction = set(inside[0].tolist()) - set(outside[0].tolist()) - {-1}
    both = set(inside[0].tolist()) & set(outside[0].tolist()) - {-1}
    assert len(instruction) == len(both) == 1
    for family in instruction | both:
        assert (inside == family).any(axis=1).all()
    assert (outside == next(iter(both))).any(axis=1).all()
    assert not np.isin(outside, list(instruction)).any()


def test_two_templates_are_two_families() -> None:
    say = Speech()
    one = made_by(lambda: f"{TEMPLATE}: {say(25)}")
    other = made_by(lambda: f"{OTHER}: {say(25)}")  # of the same accounts
    found = families_of(one + other + crowd(say))
    assert len(found) == 2
    assert len(set(found.best[: len(one)])) == len(set(found.best[len(one) : len(one + other)])) == 1


def test_what_four_accounts_share_is_nobody_elses_business() -> None:
    say = Speech()
    household = made_by(lambda: f"{TEMPLATE}: {say(25)}", n_accounts=4, each=30)
    assert len(families_of(household + crowd(say))) == 0
    assert len(families_of([*household, (77, f"{TEMPLATE}: {say(25)}"), *crowd(say)])) == 1


def test_an_everyday_phrase_ties_nobody_together() -> None:
    """Everybody says please, in the same dozen words; two groups have templates besides."""
    say = Speech()
    polite = "could you please help me with the following question I have been thinking about for a while"
    prompts = [
        *made_by(lambda: f"{TEMPLATE}: {say(20)}. {polite}"),
        *made_by(lambda: f"{OTHER}: {say(20)}. {polite}", first=50),
        *((1_000 + n, f"{say(20)} {polite} {say(20)}") for n in range(200)),
    ]
    found = families_of(prompts)
    one, other, people = found.best[:60], found.best[60:120], found.best[120:]
    assert len(set(one)) == len(set(other)) == 1
    assert len({one[0], other[0]} | set(people)) == 3  # the phrase may be a family of its own


def test_a_piece_common_to_two_templates_does_not_join_them() -> None:
    say = Speech()
    common = (
        "answer in valid json with the keys verdict and rationale and write nothing before or after it at all"
    )
    found = families_of(
        made_by(lambda: f"{TEMPLATE} {common}: {say(25)}")
        + made_by(lambda: f"{OTHER} {common}: {say(25)}", first=50)
    )
    one, other = found.best[:60], found.best[60:]
    assert (len(set(one)), len(set(other))) == (1, 1)
    assert one[0] != other[0]


def test_a_short_template_tells_by_being_filled_again_and_a_turn_of_phrase_does_not() -> None:
    """Twenty accounts send nothing but seven words and an item; ninety say seven other words once in four."""
    say = Speech()
    short, phrase = "write five questions about the following passage", "many thanks in advance for your help"
    campaign = made_by(lambda: f"{short}: {say(30)}")
    people = [
        (100 + n, f"{say(30)} {phrase}" if nth == n % 4 else say(30)) for n in range(90) for nth in range(4)
    ]
    found = families_of(campaign + people)
    of_campaign = found.best[0]
    assert len(found) == 2
    assert found.index.used_again[of_campaign] == 1.0
    assert found.index.used_again[1 - of_campaign] == 0.0
    telling = found.index.telling()
    assert len(telling) == 1
    assert (telling.shingles == found.index.shingles_of(of_campaign)).all()


def test_accounts_of_one_text_each_cannot_show_that_they_use_it_again() -> None:
    say = Speech()
    found = families_of(
        made_by(lambda: f"write five questions about the following passage: {say(30)}", each=1)
    )
    assert found.index.used_again.tolist() == [0.0]
    assert len(found.index.telling()) == 0


@pytest.mark.parametrize("n_accounts", [12, 3_000])
def test_exact_copies_sent_by_many_are_one_family(n_accounts: int) -> None:
    """Also when so many send them that each second text is counted, or each eighth: those are not all the
    same because the texts are."""
    say = Speech()
    found = families_of([*((n, TEMPLATE) for n in range(n_accounts)), *crowd(say, first=9_000)])
    assert len(found) == 1
    assert (found.best == [0] * n_accounts + [-1] * 120).all()


def row_of_variants(say: Speech, n_prompts: Sequence[int]) -> list[Prompt]:
    """Variants of three pieces of eight words, two of them in common with the next: from one template to
    another in so many steps, and of each so many prompts."""
    pieces = [say(8) for _ in range(len(n_prompts) + 2)]
    return [
        (100 * first + n % 50, f"{' '.join(pieces[first : first + 3])}: {say(25)}")
        for first, n_of_this in enumerate(n_prompts)
        for n in range(n_of_this)
    ]


@pytest.mark.parametrize(
    "n_prompts",
    [
        pytest.param([200, 20, 20, 20, 20, 20, 200], id="fewer of what lies between"),
        pytest.param([20, 60, 180, 180, 60, 20, 20], id="more of what lies between"),
    ],
)
def test_a_row_of_variants_does_not_tie_two_templates(n_prompts: list[int]) -> None:
    """As many prompts of each variant would: then each is two thirds of the next, and none stands out."""
    say = Speech()
    found = families_of(row_of_variants(say, n_prompts) + crowd(say))
    first = found.of_text[: n_prompts[0]]
    last = found.of_text[sum(n_prompts[:-1]) : sum(n_prompts)]
    assert (first[:, 0] >= 0).all()
    assert (last[:, 0] >= 0).all()
    assert not set(first[first >= 0]) & set(last[last >= 0])


def test_a_short_frame_around_eight_seeds_is_found_in_the_last_place() -> None:
    """Each prompt shows eight of forty seeds, each longer than the frame: of more families than there are
    places the frame is what all prompts share, and a place is kept for that."""
    say, rng = Speech(), np.random.default_rng(4)
    seeds = [say(30) for _ in range(40)]
    frame = "come up with new tasks that resemble these"

    def prompt() -> str:
        return f"{frame} {' '.join(seeds[at] for at in rng.choice(40, 8, replace=False))}"

    campaign = made_by(prompt, n_accounts=60, each=4)
    found = families_of(campaign + crowd(say))
    last = found.of_text[: len(campaign), -1]
    assert len(set(last.tolist())) == 1
    assert last[0] == found.index.n_texts.argmax()
    assert (found.best[len(campaign) :] == -1).all()


def exchanging(template: str, rng: np.random.Generator, share: float = 0.2) -> str:
    """The template with so large a share of its words exchanged."""
    words = template.split()
    return " ".join(str(rng.choice(WORDS)) if rng.random() < share else word for word in words)


FORTY = (
    "you are an experienced editor who reads the passage below twice before you judge it, then list the "
    "three weakest sentences, say for each what is wrong with it, propose a better version, and close with "
    "one paragraph about style"
)


def worn(template: str, drawn_for_each: str, seed: int) -> tuple[list[Prompt], list[Prompt]]:
    """Sixty accounts that send a template with one word in five exchanged, five times each; and a crowd."""
    say, rng = Speech(seed), np.random.default_rng(seed)
    campaign = []
    for account in range(60):
        mine = exchanging(template, rng)
        for _ in range(5):
            told = mine if drawn_for_each == "account" else exchanging(template, rng)
            campaign.append((account, f"{told}: {say(25)}"))
    return campaign, crowd(say, n_accounts=200)


def share_in_one_family(template: str, drawn_for_each: str, seed: int) -> float:
    """Of a worn template's prompts; nobody else may be in that family. Each seed has a key of its own."""
    campaign, people = worn(template, drawn_for_each, seed)
    found = families_of(campaign + people, secret=secret_of(b"%d" % seed))
    held = [(found.of_text == family).any(axis=1) for family in range(len(found))]
    largest = max(held, key=lambda of: of[: len(campaign)].sum(), default=np.zeros(len(campaign) + 600))
    assert not largest[len(campaign) :].any()
    return float(largest[: len(campaign)].mean())


@pytest.mark.parametrize("drawn_for_each", ["prompt", "account"])
def test_a_template_of_forty_words_survives_the_exchange_of_one_in_five(drawn_for_each: str) -> None:
    assert len(FORTY.split()) == 40
    shares = sorted(share_in_one_family(FORTY, drawn_for_each, seed) for seed in range(6))
    assert shares[0] >= 0.6  # under one key its pieces stay two
    assert shares[1] >= 0.8


def test_two_worn_templates_with_a_piece_in_common_stay_two() -> None:
    """Worn pieces are joined at lower demands; under most keys, what holds most of one has little of the
    other. The common piece may be a family of its own: that is small."""
    say, rng = Speech(), np.random.default_rng(6)
    common = "answer in valid json with the keys verdict and rationale and write nothing before or after it"
    one = made_by(lambda: f"{exchanging(f'{TEMPLATE} {common}', rng)}: {say(25)}", 60, 5)
    other = made_by(lambda: f"{exchanging(f'{OTHER} {common}', rng)}: {say(25)}", 60, 5, first=100)
    people = crowd(say)
    n_tied = 0
    for number in range(6):
        found = families_of(one + other + people, secret=secret_of(b"%d" % number))
        held = [(found.of_text == family).any(axis=1) for family in range(len(found))]
        in_both = [min(of[:300].mean(), of[300:600].mean()) for of in held]
        n_tied += max(in_both, default=0) > 0.5
    assert n_tied <= 2


@given(
    st.lists(st.tuples(st.integers(20, 45), st.integers(0, 30)), min_size=1, max_size=3),
    st.integers(0, 2**32),
    st.binary(max_size=16),
)
@settings(deadline=None, max_examples=25)
def test_under_any_key_the_same_texts_are_families(
    templates: list[tuple[int, int]], seed: int, key: bytes
) -> None:
    """Other shingles are kept and the sample is another, but clean templates are the same partition."""
    say = Speech(seed)
    prompts = crowd(say)
    for n_words, slot_words in templates:
        template, first = say(n_words), len(prompts)
        prompts += made_by(lambda: f"{template} {say(slot_words)}", 12, 3, first)  # noqa: B023
    one, other = families_of(prompts), families_of(prompts, secret=secret_of(key))
    assert len(one) == len(other) == len(templates)
    assert len(set(zip(one.best.tolist(), other.best.tolist(), strict=True))) == len(templates) + 1


def test_a_chinese_template_is_a_family_too() -> None:
    rng = np.random.default_rng(5)

    def say(n_signs: int) -> str:
        return "".join(chr(sign) for sign in rng.integers(0x4E00, 0x9000, n_signs))

    template = "请逐步推理并写出完整的思考过程然后给出最终答案题目如下"
    campaign = made_by(lambda: f"{template}:{say(40)}")
    people = [(1_000 + n, say(60)) for n in range(100)]
    found = families_of(campaign + people)
    assert len(found) == 1
    assert (found.best == [0] * len(campaign) + [-1] * len(people)).all()


def test_one_busy_account_weighs_no_more_than_the_others() -> None:
    """One of forty accounts repeats half of the template a hundred thousand times, and varies it a thousand
    times: were each request counted, the two halves of the template would seem to be strangers."""
    say = Speech()
    shared = made_by(lambda: f"{TEMPLATE}: {say(25)}", n_accounts=40, each=6)
    half = TEMPLATE[:110]
    loud = [(0, f"{half} {say(9)}") for _ in range(1_000)] + [(0, f"{half} over and over")] * 100_000
    found = families_of(shared + loud + crowd(say))
    assert len(found) == 1
    assert (found.best == [0] * (len(shared) + len(loud)) + [-1] * 120).all()


def test_a_large_night_is_sampled_and_its_templates_are_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for one text in four only; every text is given its family all the same."""
    monkeypatch.setattr("detector.text.families.sample.SAMPLE_TEXTS", 150)
    say = Speech()
    campaign = made_by(lambda: f"{TEMPLATE}: {say(25)}", n_accounts=60, each=8)
    found = families_of(campaign + crowd(say))
    assert len(found) == 1
    assert (found.best == [0] * len(campaign) + [-1] * 120).all()
