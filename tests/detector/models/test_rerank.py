"""What decisions teach: only from later proof, never against evidence, and never far."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from detector.models import gain, rerank
from detector.models.reorder import MOST_TIMES, reordered, runs
from detector.models.rerank import LEAST_OF_EACH, Cases, Standing

CONFIDENCES = ("low", "medium", "high")


def decided(n_nights=6, each=12, telling=3.0, seed=0, n_pieces=4):
    """Half of each night approved; the first piece tells them apart, the score does not."""
    rng = np.random.default_rng(seed)
    n = n_nights * each
    approved = np.arange(n) % 2 == 0
    evidence = rng.normal(size=(n, n_pieces))
    evidence[:, 0] += telling * approved
    cases = Cases(score=rng.uniform(0.5, 0.9, n), evidence=evidence, night=np.arange(n) // each)
    return cases, approved


def learned(cases, approved):
    return rerank.learn(cases, approved, ["low"] * len(approved))


# -- when it is used --------------------------------------------------------------------------------


def test_what_tells_cases_apart_on_later_nights_is_used():
    lesson = learned(*decided())
    assert lesson.standing is Standing.USED
    assert lesson.learned_share > 0.75
    assert lesson.present_share < 0.65
    assert 0 < lesson.gain_low < lesson.learned_share - lesson.present_share < lesson.gain_high
    assert lesson.weights is not None


def test_without_decisions_with_few_or_of_one_sort_the_plain_order_stays():
    cases, approved = decided()
    assert learned(cases.take(np.arange(0)), approved[:0]).standing is Standing.NO_DECISIONS
    few = np.arange(2 * 2 * LEAST_OF_EACH - 2)  # enough to learn from, one of each short of a comparison
    assert learned(cases.take(few), approved[few]).standing is Standing.FEW_DECISIONS
    assert learned(cases, np.ones(len(approved), bool)).standing is Standing.FEW_DECISIONS


def test_one_later_night_proves_nothing_however_many_decisions_it_has():
    cases, approved = decided(n_nights=2, each=200)
    assert learned(cases, approved).standing is Standing.FEW_DECISIONS


def test_what_does_not_hold_on_later_nights_is_not_used():
    """The piece that told approved cases on the first nights tells the dismissed ones later."""
    cases, approved = decided()
    late = cases.night >= 2
    cases.evidence[late, 0] = -cases.evidence[late, 0]
    assert learned(cases, approved).standing is Standing.NO_GAIN


def test_where_scores_already_tell_them_apart_nothing_changes():
    cases, approved = decided()
    sure = Cases(score=np.where(approved, 0.9, 0.5), evidence=cases.evidence, night=cases.night)
    lesson = learned(sure, approved)
    assert lesson.standing is Standing.NO_GAIN
    assert lesson.present_share == 1.0
    assert lesson.weights is None


def test_verdicts_by_the_toss_of_a_coin_are_hardly_ever_used():
    used = 0
    for seed in range(20):
        cases, _ = decided(telling=0.0, seed=seed)
        approved = np.random.default_rng(1_000 + seed).random(len(cases)) < 0.5
        used += learned(cases, approved).standing is Standing.USED
    assert used <= 2  # one in forty by the interval: three of twenty would be beyond one in fifty


def test_a_night_is_ordered_by_earlier_nights_alone():
    """Whatever is decided on the last night, the order that it is compared with was there before."""
    cases, approved = decided()
    last = cases.night == cases.night.max()
    turned = np.where(last, ~approved, approved)
    [before, after] = [
        rerank._compared(cases, said, np.zeros(len(said), np.intp)) for said in (approved, turned)
    ]
    assert_array_equal(before[-1].learned, after[-1].learned)
    assert (before[-1].approved == ~after[-1].approved).all()


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 1_000))
def test_the_order_in_which_decisions_are_read_changes_nothing(seed):
    cases, approved = decided(seed=3)
    shuffle = np.random.default_rng(seed).permutation(len(approved))
    one, other = learned(cases, approved), learned(cases.take(shuffle), approved[shuffle])
    assert one.weights is not None
    assert other.weights is not None
    assert_array_equal(one.weights.log_odds(cases), other.weights.log_odds(cases))
    assert (one.gain_low, one.gain_high) == (other.gain_low, other.gain_high)


# -- what cannot be taught --------------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(0, 3), st.floats(0, 20))
def test_more_evidence_never_ranks_lower_whatever_was_decided(seed, piece, more):
    rng = np.random.default_rng(seed)
    cases, _ = decided(seed=seed)
    approved = rng.random(len(cases)) < 0.5
    approved[:2] = True, False
    cases.evidence[rng.random(cases.evidence.shape) < 0.1] = np.nan
    weights = rerank.fitted(cases, approved)
    raised = Cases(score=cases.score, evidence=cases.evidence.copy(), night=cases.night)
    raised.evidence[:, piece] += more
    assert (weights.log_odds(raised) >= weights.log_odds(cases) - 1e-9).all()


def test_a_flood_of_decoys_on_one_night_does_not_unteach_what_all_nights_say():
    """A thousand decoys with the telling piece, all dismissed, against 36 honest dismissals: as twenty."""
    cases, approved = decided(telling=2.0)
    n = 1_000
    flood = Cases(
        score=np.concatenate([cases.score, np.full(n, 0.55)]),
        evidence=np.vstack([cases.evidence, np.tile([3.0, 0, 0, 0], (n, 1))]),
        night=np.concatenate([cases.night, np.full(n, 7)]),
    )
    weights = rerank.fitted(flood, np.concatenate([approved, np.zeros(n, bool)]))
    log_odds = weights.log_odds(cases)
    right = (log_odds[approved][:, None] > log_odds[~approved]).mean()
    assert right > 0.85  # counted one by one, the decoys would bring it to 0.56


def test_a_value_beyond_all_that_was_seen_counts_as_the_most_that_was():
    cases, approved = decided()
    weights = rerank.fitted(cases, approved)
    far = cases.take(np.array([0]))
    far.evidence[0, 0] = 1e9
    most = cases.take(np.array([0]))
    most.evidence[0, 0] = cases.evidence[:, 0].max()
    assert weights.log_odds(far) == weights.log_odds(most)


def test_what_is_unknown_counts_as_usual_whatever_was_decided_about_it():
    """Whoever hides its texts was dismissed each time: that does not speak for hiding."""
    cases, approved = decided()
    cases.evidence[~approved, 1] = np.nan
    weights = rerank.fitted(cases, approved)
    usual = np.nanmedian(cases.evidence[:, 1])
    known = Cases(score=cases.score, evidence=cases.evidence.copy(), night=cases.night)
    known.evidence[~approved, 1] = usual
    assert_array_equal(weights.log_odds(cases), weights.log_odds(known))


# -- the order --------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.sampled_from(CONFIDENCES), st.booleans(), st.floats(-9, 9) | st.just(np.nan)),
        max_size=60,
    )
)
def test_nobody_is_left_out_nor_passes_another_confidence_nor_waits_twice_as_long(drawn):
    bands = [band for band, _, _ in drawn]
    group = 2 * runs(bands) + np.array([is_campaign for _, is_campaign, _ in drawn], np.int64)
    log_odds = np.array([odds for _, _, odds in drawn])
    order = reordered(group, log_odds)
    assert sorted(order.tolist()) == list(range(len(drawn)))
    assert_array_equal(group[order], group)
    assert_array_equal(order[np.isnan(log_odds)], np.flatnonzero(np.isnan(log_odds)))
    for one in set(group.tolist()):
        rows = np.flatnonzero((group == one) & np.isfinite(log_odds)).tolist()
        place_of = {at: place for place, at in enumerate([at for at in order.tolist() if at in rows], 1)}
        for own, at in enumerate(rows, 1):
            assert place_of[at] <= MOST_TIMES * own


@given(st.lists(st.floats(-9, 9), max_size=12))
def test_within_the_bound_the_best_comes_first(log_odds):
    """The definition read aloud: whoever is due comes now, else the highest left."""
    left, expected = list(range(len(log_odds))), []
    for place in range(1, len(log_odds) + 1):
        due = [at for at in left if MOST_TIMES * (at + 1) == place]
        chosen = due[0] if due else max(left, key=lambda at: (log_odds[at], -at))
        left.remove(chosen)
        expected.append(chosen)
    assert reordered(np.zeros(len(log_odds)), np.array(log_odds)).tolist() == expected


def test_a_finding_of_high_confidence_stays_above_all_of_lower_confidence():
    bands = ["high", "high", "low", "high", "low", "low"]
    order = reordered(runs(bands), np.array([-5.0, 1.0, 9.0, -9.0, 2.0, 8.0]))
    assert order.tolist() == [1, 0, 2, 3, 5, 4]


# -- the gain ---------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20))
def test_shares_of_pairs_are_what_counting_them_gives(drawn):
    approved = np.array([said for said, _, _ in drawn])
    if approved.all() or not approved.any():
        return
    present, other = (np.array([case[at] for case in drawn]) for at in (1, 2))
    shares = gain.gain([gain.Later(approved, present, other), gain.Later(approved, present, other)])[:2]
    for places, share in zip((present, other), shares, strict=True):
        pairs = [(a < b) + (a == b) / 2 for a in places[approved] for b in places[~approved]]
        assert share == pytest.approx(np.mean(pairs))


# -- words ------------------------------------------------------------------------------------------


def test_it_says_in_words_when_it_is_used_and_why_not():
    used = rerank.in_words("Campaigns", learned(*decided()))
    assert "Campaigns are ordered by past decisions, 36 approved and 36 dismissed" in used
    assert "plain order in" in used
    cases, approved = decided(n_nights=1)
    assert "6 approved and 6 dismissed so far" in rerank.in_words("Campaigns", learned(cases, approved))
    none = learned(cases.take(np.arange(0)), approved[:0])
    assert "nobody has decided" in rerank.in_words("Lone accounts", none)


def test_cases_that_do_not_fit_together_are_refused():
    cases, approved = decided()
    with pytest.raises(ValueError, match="for every case"):
        rerank.learn(cases, approved[:-1], ["low"] * len(approved))
    with pytest.raises(ValueError, match="a row of evidence"):
        Cases(score=cases.score[:-1], evidence=cases.evidence, night=cases.night)
