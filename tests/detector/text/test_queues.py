"""Work queues: a list dealt out, many people's own texts, and what looks like either."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from benchmarks import queues as cases
from detector.kernels import queues as kernels
from detector.text import queues
from detector.text.fingerprint import fingerprint
from detector.text.queues import KnownSets, Queues, Traits, judge, known_sets, locate, padded, project_slots
from tests.pools import POOLS, with_pools
from tests.reference.queues import (
    icc_slow,
    kendall_slow,
    located_slow,
    sampled_slow,
    scaled,
    shared_slow,
    z_slow,
)


def traits_of(values: np.ndarray, *widths: int) -> Traits:
    """Traits in blocks of these widths; one block without any."""
    return Traits(values.astype(np.float32), np.cumsum([0, *(widths or (values.shape[1],))], dtype=np.int64))


def judged(
    accounts: Sequence[int], items: Sequence[int], traits: Traits | None = None, **more: object
) -> Queues:
    """One family's requests, a second apart."""
    n = len(accounts)
    return judge(
        np.zeros(n, np.int32),
        np.array(accounts, np.int32),
        np.array(items, np.uint64),
        np.arange(n) * 1_000_000,
        traits or traits_of(np.zeros((n, 1))),
        1,
        **more,  # type: ignore[arg-type]
    )


def said(found: Queues) -> list[str]:
    return [queues.VERDICTS[code] for code in found.verdict]


# --- the loops agree with the definitions ------------------------------------------------------------------

SMALL = st.integers(4, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=n, max_size=n),
    )
)


@given(SMALL)
@settings(deadline=None, max_examples=40)
def test_likeness_and_its_chance_are_those_of_every_possible_dealing(
    drawn: tuple[list[int], list[list[int]]],
) -> None:
    accounts, rows = drawn
    found = judged(accounts, range(len(rows)), traits_of(np.array(rows), 1, 2))
    x = scaled(rows, (0, 1, 3))
    if sum(accounts.count(account) > 1 for account in set(accounts)) < 2 or not x or not x[0]:
        assert np.isnan(found.own_text_icc[0])
        return
    assert found.own_text_icc[0] == pytest.approx(icc_slow(accounts, x), abs=1e-6)
    assert_allclose(found.own_text_z[0], z_slow(accounts, x), atol=1e-4)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40))
@settings(deadline=None, max_examples=60)
def test_order_is_counted_as_pair_by_pair(points: list[tuple[int, int]]) -> None:
    points = sorted(points)
    time, position = (np.array([point[k] for point in points], np.int64) for k in (0, 1))
    score, variance, pairs = (np.empty(1) for _ in range(3))
    kernels.concordance(time, position, np.array([0, len(points)], np.int64), score, variance, pairs)
    assert score[0] == kendall_slow(points)
    if pairs[0] > 0 and len(points) > 2:
        told = stats.kendalltau(time, position, method="asymptotic")
        assert score[0] / pairs[0] == pytest.approx(told.statistic)
        assert 2 * stats.norm.sf(abs(score[0]) / np.sqrt(variance[0])) == pytest.approx(told.pvalue)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=40))
@settings(deadline=None, max_examples=60)
def test_sharing_agrees_with_the_definition(uses: list[tuple[int, int]]) -> None:
    found = judged([account for account, _ in uses], [item for _, item in uses])
    assert_allclose(
        (found.shared_item_ratio[0], found.shared_use_ratio[0], found.shared_pairs[0] >= 0),
        (*shared_slow(uses)[:2], 1),
    )
    pairs = sum(one[1] == other[1] and one[0] != other[0] for k, one in enumerate(uses) for other in uses[:k])
    assert found.shared_pairs[0] == pairs  # pairs of requests, repeats counted


def flat(lists: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.array([value for one in lists for value in one], np.uint32),
        np.cumsum([0, *map(len, lists)], dtype=np.int64),
    )


ITEMS = st.lists(st.sets(st.integers(0, 30), max_size=8), max_size=6)
TEXTS = st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=6)


@given(ITEMS, TEXTS)
@settings(deadline=None, max_examples=150)
def test_items_are_located_as_in_the_definition(items: list[set[int]], texts: list[list[int]]) -> None:
    known = known_sets(
        ["one", "other"], [flat(list(map(sorted, items[:2]))), flat(list(map(sorted, items[2:])))]
    )
    sampled = sampled_slow(items)
    code, position = locate(*flat(texts), known)
    for text, of, at in zip(texts, code, position, strict=True):
        number = located_slow(text, sampled)
        assert (of, at) == ((-1, -1) if number < 0 else (number >= 2, number - 2 * (number >= 2)))


@given(
    st.lists(st.lists(st.integers(0, 20), max_size=9), min_size=1, max_size=6), st.sets(st.integers(0, 20))
)
@settings(deadline=None, max_examples=60)
def test_projection_leaves_out_the_familys_shingles_and_adds_up(
    texts: list[list[int]], family: set[int]
) -> None:
    own = flat([sorted(family)])
    of = np.zeros(len(texts), np.int32)
    projected, n_slot = project_slots(*flat(texts), of, *own)
    assert n_slot.tolist() == [sum(shingle not in family for shingle in text) for text in texts]
    alone, _ = project_slots(
        *flat([[s] for text in texts for s in text]), np.zeros(sum(map(len, texts)), np.int32), *own
    )
    assert set(np.abs(alone).sum(axis=1)) <= {0.0, 1.0}
    parts = np.split(alone, np.cumsum([len(text) for text in texts])[:-1])
    assert_array_equal(projected, [part.sum(axis=0) for part in parts])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=40),
       st.randoms(use_true_random=False))  # fmt: skip
@settings(deadline=None, max_examples=30)
def test_the_order_of_rows_changes_nothing(rows: list[tuple[int, int, int]], random) -> None:
    def measure(order: Sequence[int]) -> Queues:
        family, account, item = (np.array([rows[k][c] for k in order]) for c in range(3))
        return judge(
            family.astype(np.int32), account.astype(np.int32), item.astype(np.uint64),
            np.array([1_000 * k for k in order]), traits_of(np.stack([item % 3, item % 4], axis=1)), 3,
            nights_before=(item % 2).astype(np.int8), earlier_position=item.astype(np.int64),
        )  # fmt: skip

    one, other = measure(range(len(rows))), measure(random.sample(range(len(rows)), len(rows)))
    for name in Queues.__slots__:
        assert_array_equal(getattr(one, name), getattr(other, name))


# --- the tests keep their levels ---------------------------------------------------------------------------


@pytest.mark.parametrize(("n_accounts", "each"), [(15, 2), (50, 2), (50, 5)])
def test_a_dealt_list_is_called_alike_as_rarely_as_the_level_says(n_accounts: int, each: int) -> None:
    """Lognormal sizes and a code in ten letters, over four hundred lists."""
    rng = np.random.default_rng(1)
    n, n_lists = n_accounts * each, 400
    values = np.concatenate(
        [rng.normal(size=(n_lists * n, 1)), np.eye(10)[rng.integers(0, 10, n_lists * n) % 7]], axis=1
    )
    account = np.tile(np.repeat(np.arange(n_accounts), each), n_lists).astype(np.int32)
    family = np.repeat(np.arange(n_lists), n).astype(np.int32)
    every = np.arange(n_lists * n)
    found = judge(family, account, every.astype(np.uint64), every, traits_of(values, 1, 10), n_lists)
    assert (found.own_text_p < 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert (found.own_text_p < 0.01).mean() <= 0.025
    assert found.own_text_icc.mean() == pytest.approx(0, abs=3 * found.own_text_icc.std() / 20)


@pytest.mark.parametrize("mean", [1.5, 2.0, 4.0, 6.0])
def test_evenness_knows_random_dealing_from_people_and_schedulers(mean: float) -> None:
    rng = np.random.default_rng(2)

    def scores(draw) -> Queues:
        sent = [draw(200) for _ in range(150)]
        family = np.concatenate([np.full(one.sum(), k) for k, one in enumerate(sent)]).astype(np.int32)
        account = np.concatenate([np.repeat(np.arange(len(one)), one) for one in sent]).astype(np.int32)
        n = len(family)
        return judge(
            family, account, np.arange(n, dtype=np.uint64), np.arange(n), traits_of(np.zeros((n, 1))), 150
        )

    def poisson(n: int) -> np.ndarray:
        sent = rng.poisson(mean, 3 * n)
        return sent[sent > 0][:n]

    def scheduler(n: int) -> np.ndarray:
        return np.full(n, int(mean)) + (np.arange(n) % 2)

    def people(n: int) -> np.ndarray:
        return rng.geometric(1 / mean, n)

    dealt = scores(poisson)
    assert abs(dealt.evenness_z.mean()) < 0.3
    assert dealt.evenness_z.std() == pytest.approx(1, abs=0.25)
    assert (scores(scheduler).evenness_z < -3).all()
    crowd = scores(people)
    assert abs(crowd.geometric_z.mean()) < 0.4
    assert (crowd.geometric_z < -2.33).mean() <= 0.02
    assert (crowd.evenness_z.mean()) > 1


def test_nothing_is_said_where_nothing_can_be() -> None:
    found = judged([], [])
    assert said(found) == ["unclear"]
    assert np.isnan(found.shared_item_ratio[0])
    alone = judged([0, 0, 0], [1, 2, 3])
    assert np.isnan([alone.own_text_icc[0], alone.evenness[0], alone.least_list_size[0]]).all()
    once_each = judged(range(50), range(50))
    assert np.isnan([once_each.own_text_icc[0], once_each.evenness[0], once_each.repeat_ratio[0]]).all()
    assert said(once_each) == ["unclear"]


def test_one_huge_account_does_not_decide() -> None:
    """Sixty accounts share a list; one account besides sends fifty thousand variations of a single text."""
    rng = np.random.default_rng(3)
    accounts = [*np.repeat(np.arange(60), 5), *np.full(50_000, 60)]
    values = np.concatenate([rng.normal(size=(300, 2)), np.full((50_000, 2), 3.0)])
    found = judged(accounts, range(len(accounts)), traits_of(values))
    assert said(found) != ["own_texts"]
    assert said(judged(accounts[:300], range(300), traits_of(values[:300]))) == ["dealt_list"]


def test_repeats_tell_how_long_a_list_is_and_whether_accounts_repeat_each_other() -> None:
    rng = np.random.default_rng(9)
    accounts = np.repeat(np.arange(200), 5)
    drawn = judged(accounts, rng.integers(0, 2_000, 1_000))  # on their own, from two thousand
    assert drawn.list_size[0] == pytest.approx(2_000, rel=0.25)
    assert 1_500 < drawn.least_list_size[0] < 2_100
    assert drawn.shared_pairs[0] == pytest.approx(drawn.chance_pairs[0], rel=0.05)
    dealt = judged(accounts, range(1_000))
    assert np.isnan(dealt.chance_pairs[0])
    assert dealt.least_list_size[0] > 150_000  # or they do not draw on their own
    again = judged(
        accounts, np.arange(1_000) // 5 * 5 + np.arange(1_000) % 2
    )  # each asks two things over and over
    assert again.shared_pairs[0] == 0
    assert again.chance_pairs[0] > 500


def test_likeness_of_many_small_families_adds_up() -> None:
    icc, error = np.array([0.1, -0.1, np.nan, 0.0]), np.array([0.1, 0.1, 0.2, 0.1])
    assert queues.pooled_likeness(icc, error) == pytest.approx((0.0, 0.1 / np.sqrt(3)))
    assert np.isnan(queues.pooled_likeness(icc[2:3], error[2:3])).all()


def test_what_a_few_accounts_seem_to_have_alone_may_be_shared_with_the_rest() -> None:
    rng = np.random.default_rng(4)
    accounts, values = np.repeat(np.arange(100), 4), traits_of(rng.normal(size=(400, 3)))
    assert said(judged(accounts, range(400), values)) == ["dealt_list"]
    held = np.full(400, 3, np.int32)
    assert said(judged(accounts, range(400), values, n_holders=held)) == ["same_items"]


def test_a_night_whose_people_are_not_alike_themselves_needs_more_to_convict() -> None:
    rng = np.random.default_rng(5)
    accounts, values = np.repeat(np.arange(100), 4), traits_of(rng.normal(size=(400, 3)))
    assert said(judged(accounts, range(400), values, usual_icc=0.3)) == ["dealt_list"]
    assert said(judged(accounts, range(400), values, usual_icc=0.02)) == ["unclear"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": [0, 2]},
        {"account": [1]},
        {"values": [[0.0], [np.nan]]},
        {"known_set": np.zeros(3, np.int32)},
    ],
    ids=[
        "a family beyond the last",
        "a row without account",
        "a trait that is no number",
        "one code too many",
    ],
)
def test_rows_that_make_no_sense_are_refused(wrong: dict) -> None:
    family, account = (np.array(wrong.get(name, [0, 0]), np.int32) for name in ("family", "account"))
    traits = traits_of(np.array(wrong.get("values", [[0.0], [1.0]])))
    with pytest.raises(ValueError, match=r"every column|family numbers|finite"):
        judge(
            family,
            account,
            np.zeros(2, np.uint64),
            np.zeros(2, np.int64),
            traits,
            1,
            known_set=wrong.get("known_set"),
        )


# --- a list in order, and known sets -----------------------------------------------------------------------


def test_a_list_dealt_in_order_shows_its_order_and_one_dealt_in_stretches_shows_it_within() -> None:
    places = np.arange(200)
    in_turn = judged(places % 40, places, earlier_position=places, nights_before=np.ones(200, np.int8))
    assert in_turn.order[0] == pytest.approx(1)
    # Forty accounts work through five items each, all at the same time.
    at_once = judged(places % 40, places, earlier_position=(places % 40) * 5 + places // 40)
    assert abs(at_once.order[0]) < 0.3
    assert at_once.order_within[0] == pytest.approx(1)
    assert at_once.order_within_z[0] > 10
    mixed = judged(places % 40, places, earlier_position=np.random.default_rng(1).permutation(200))
    assert abs(mixed.order_z[0]) < 3


def test_a_known_set_that_is_dealt_out_has_fewer_repeats_than_chance_and_one_that_all_draw_from_has_not() -> (
    None
):
    rng = np.random.default_rng(7)
    accounts = np.repeat(np.arange(100), 4)

    def of_set(items: np.ndarray) -> Queues:
        return judged(
            accounts, items, known_set=np.zeros(400, np.int32), set_position=items, set_sizes=np.array([500])
        )

    dealt, drawn = of_set(rng.permutation(500)[:400]), of_set(rng.integers(0, 500, 400))
    assert dealt.set_pairs[0] == 0
    assert dealt.set_chance_p[0] < 1e-9
    assert dealt.set_chance_pairs[0] == pytest.approx(drawn.set_pairs[0], rel=0.25)
    assert drawn.set_chance_p[0] > 0.01
    assert (dealt.known_set[0], dealt.known_set_share[0]) == (0, 1)


def test_a_known_item_is_the_same_item_however_it_is_asked_for() -> None:
    """Thirty accounts ask for the same ten questions, each in words of its own."""
    accounts, places = np.repeat(np.arange(30), 10), np.tile(np.arange(10), 30)
    more = {"known_set": np.zeros(300, np.int32), "set_position": places, "set_sizes": np.array([10])}
    found = judged(accounts, range(300), **more)
    assert (found.shared_pairs[0], found.set_pairs[0]) == (0, 10 * 30 * 29 / 2)
    assert found.set_chance_p[0] > 0.01


def test_what_many_items_hold_decides_nothing() -> None:
    """Twenty items begin with the same ten shingles; a text with those alone holds none of them."""
    items = [[*range(10), *range(100 * k, 100 * k + 6)] for k in range(1, 21)]
    known = known_sets(["list"], [flat(items)])
    code, position = locate(*flat([list(range(10)), items[4], items[7][-3:], items[7][-2:]]), known)
    assert position.tolist() == [-1, 4, 7, -1]
    assert code.tolist() == [-1, 0, 0, -1]


def test_examples_before_the_question_are_not_the_item() -> None:
    known = known_sets(["list"], [flat([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])])
    _, position = locate(*flat([[1, 2, 3, 4, 5, 6, 7, 8, 10, 11]]), known)
    assert position.tolist() == [2]


def test_no_known_sets_are_no_trouble() -> None:
    none = known_sets([], [])
    assert isinstance(none, KnownSets)
    assert locate(*flat([[1, 2], []]), none)[0].tolist() == [-1, -1]
    with pytest.raises(ValueError, match="name"):
        known_sets(["a"], [])


# --- real prompts ------------------------------------------------------------------------------------------


SEEDS = range(5)


def verdicts(make, n_accounts: int, each: int, loads: str = "even", **more: object) -> list[str]:
    found = []
    for seed in SEEDS:
        rng = np.random.default_rng([seed, n_accounts, each])
        uses = make(rng, cases.counts(rng, n_accounts, each, loads))
        found += said(cases.measured(uses, **more))
    return found


@with_pools
def test_a_benchmarks_questions_dealt_to_two_hundred_accounts_are_a_list() -> None:
    for loads in ("even", "random"):
        assert (
            verdicts(lambda rng, n: cases.dealt(POOLS, "gsm8k", rng, n), 200, 5, loads) == ["dealt_list"] * 5
        )


@with_pools
def test_three_wordings_of_the_instruction_change_nothing() -> None:
    made = verdicts(lambda rng, n: cases.dealt(POOLS, "gsm8k", rng, n, cases.FRAMES), 200, 4)
    assert made.count("dealt_list") >= 4


@with_pools
@pytest.mark.parametrize("pool", ["benign_wildchat", "benign_lobe_agents"])
def test_peoples_conversations_in_one_applications_template_are_never_a_list(pool: str) -> None:
    for loads in ("even", "people"):
        found = verdicts(lambda rng, n: cases.own(POOLS, pool, rng, n), 200, 4, loads)
        assert "dealt_list" not in found
        assert found.count("own_texts") >= 3


@with_pools
def test_the_same_list_again_is_a_suite() -> None:
    made = verdicts(lambda rng, n: cases.dealt(POOLS, "gsm8k", rng, n), 50, 4, seen=0.9)
    assert made == ["repeated_suite"] * 5


@with_pools
def test_one_text_from_everybody_is_one_text_and_a_dozen_exercises_are_the_same_items() -> None:
    assert verdicts(lambda rng, n: cases.one_text(POOLS, rng, n), 60, 2, "people") == ["one_text"] * 5
    assert verdicts(lambda rng, n: cases.exercises(POOLS, rng, n), 60, 3, "people") == ["same_items"] * 5


@with_pools
def test_a_fifth_of_own_texts_is_not_taken_for_a_list() -> None:
    assert "dealt_list" not in verdicts(lambda rng, n: cases.mixture(POOLS, rng, n), 100, 4)


@with_pools
def test_real_questions_inside_a_template_are_found_in_their_data_set() -> None:
    questions = cases.listed(POOLS, "gsm8k")
    known = known_sets(["gsm8k"], [cases.flat(fingerprint(padded(pa.array(questions))))])
    rng = np.random.default_rng(1)
    chosen = rng.permutation(len(questions))[:300]
    others = [prompt for _, prompt in cases.pool(POOLS, "benign_wildchat")][:300]
    texts = [cases.TEMPLATE.format(questions[at]) for at in chosen] + others
    code, position = locate(*cases.flat(cases.prints_of(texts)), known)
    assert (position[:300] == chosen).mean() > 0.95
    assert (code[300:] >= 0).mean() < 0.01
