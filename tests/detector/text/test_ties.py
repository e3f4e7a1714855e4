"""Ties between families: what a rewriter leaves alone still joins, what everybody has joins nobody."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.kernels.ties import count_common
from detector.text import Ties, contract_ties, fragment_ties, source_ties, tie_groups, wording_ties
from detector.text.ties import GROUP_STRENGTH, KINDS, LEAST_STRENGTH, MOST_STRENGTH
from detector.text.ties.contract import MOST_HOLDERS
from detector.text.ties.holdings import MOST_HELD
from detector.text.ties.source import MOST_SOURCES, PARTNERS
from detector.text.ties.table import evidence_of
from tests.detector.text.speech import Speech
from tests.reference.ties import contract_slow, source_slow, worth

RNG = np.random.default_rng


def flat(lists, dtype=np.int64):
    """Lists of numbers as one array, with where each begins."""
    return np.array([one for mine in lists for one in mine], dtype), np.cumsum(
        [0, *map(len, lists)], dtype=np.int64
    )


def by_contract(families):
    marks, starts = flat([sorted(mine) for mine in families], np.uint32)
    return contract_ties(marks, starts)


def by_source(families):
    rows = [(family, item) for family, mine in enumerate(families) for item in sorted(mine)]
    family, shingle = (
        (np.array(column, np.int64) for column in zip(*rows, strict=True))
        if rows
        else (np.empty(0, np.int64),) * 2
    )
    return source_ties(family, shingle.astype(np.uint32), np.ones(len(rows), np.int64), len(families))


def pairs(ties):
    return dict(
        zip(zip(ties.first.tolist(), ties.second.tolist(), strict=True), ties.strength.tolist(), strict=True)
    )


def drawn_ties(*rows):
    """Ties from rows (first, second, kind, strength)."""
    table = [(a, b, KINDS.index(kind), strength) for a, b, kind, strength in rows]
    return Ties.together([Ties(*(np.array([row[at] for row in table], dtype) for at, dtype in
                                 enumerate((np.int64, np.int64, np.int8, np.float64))))])  # fmt: skip


def capped(found):
    return {pair: min(s, MOST_STRENGTH) for pair, s in found.items() if s >= LEAST_STRENGTH}


# --- the definitions ---------------------------------------------------------------------------------------

SETS = st.lists(st.sets(st.integers(0, 30), max_size=8), min_size=1, max_size=25)


@given(SETS)
@settings(deadline=None, max_examples=60)
def test_contract_ties_agree_with_the_definition(families):
    assert pairs(by_contract(families)) == pytest.approx(capped(contract_slow(families, MOST_HOLDERS)))


@given(st.lists(st.sets(st.integers(0, 60), max_size=30), min_size=1, max_size=14))
@settings(deadline=None, max_examples=60)
def test_source_ties_agree_with_the_definition(families):
    assert pairs(by_source(families)) == pytest.approx(capped(source_slow(families, MOST_SOURCES, PARTNERS)))


@given(SETS)
@settings(deadline=None, max_examples=40)
def test_counting_what_two_lists_have_in_common_agrees_with_sets(families):
    members, starts = flat([sorted(mine) for mine in families])
    n = len(families)
    first, second = (side.ravel() for side in np.indices((n, n)))
    out = np.zeros(n * n, np.int64)
    count_common(members, starts, first, second, out)
    assert out.tolist() == [len(families[a] & families[b]) for a, b in zip(first, second, strict=True)]


@given(st.floats(0, 50))
def test_a_p_value_is_worth_less_than_its_logarithm(minus_log_p):
    assert evidence_of(np.array([minus_log_p]))[0] == pytest.approx(worth(minus_log_p))
    assert worth(minus_log_p) <= minus_log_p


@given(SETS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_the_order_of_families_changes_only_their_numbers(families, random):
    order = list(range(len(families)))
    random.shuffle(order)
    there = pairs(by_contract([families[at] for at in order]))
    back = {tuple(sorted((order[a], order[b]))): strength for (a, b), strength in there.items()}
    assert back == pytest.approx(pairs(by_contract(families)))


# --- contract ----------------------------------------------------------------------------------------------


def test_two_wordings_that_demand_the_same_odd_tags_are_tied():
    families = [{1000 + n, 2000 + n} for n in range(400)]
    families[3] = families[7] = {11, 12, 13}
    assert list(pairs(by_contract(families))) == [(3, 7)]
    assert pairs(by_contract(families))[3, 7] > GROUP_STRENGTH - 2


def test_one_rare_mark_alone_is_a_hint_and_never_a_group():
    families = [{1000 + n} for n in range(400)]
    families[3] = families[7] = {11}
    ties = by_contract(families)
    assert 2 < pairs(ties)[3, 7] < 4
    assert len(tie_groups(ties, 400, GROUP_STRENGTH)) == 0


def test_a_contract_in_fashion_ties_nobody():
    fashion = {1, 2, 3}
    assert len(by_contract([fashion | {100 + n} for n in range(200)])) == 0


def test_a_sender_cannot_make_the_table_grow_with_the_square_of_its_families():
    families = [set(range(60)) for _ in range(3_000)]
    assert len(by_contract(families)) == 0


# --- source ------------------------------------------------------------------------------------------------


def test_families_that_draw_from_one_list_are_tied_and_those_of_one_field_are_not():
    rng = RNG(1)
    phrases, queue = np.arange(200), np.arange(10_000, 10_400)
    families = [
        set(rng.choice(phrases, 30)) | set(range(20_000 + 300 * n, 20_000 + 300 * n + 100)) for n in range(60)
    ]
    families[5] |= set(rng.choice(queue, 150))
    families[9] |= set(rng.choice(queue, 150))
    ties = pairs(by_source(families))
    assert list(ties) == [(5, 9)]
    assert ties[5, 9] >= GROUP_STRENGTH


def test_what_many_accounts_of_a_family_send_is_no_item():
    rows = np.repeat([0, 1], 50), np.tile(np.arange(50, dtype=np.uint32), 2)
    assert len(source_ties(*rows, np.full(100, 2), 2)) == 1
    assert len(source_ties(*rows, np.full(100, 400), 2)) == 0


def test_a_slot_table_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="one entry per row"):
        source_ties(np.zeros(2, np.int64), np.zeros(1, np.uint32), np.zeros(2, np.int64), 3)
    with pytest.raises(ValueError, match="numbered from 0 to 2"):
        source_ties(np.array([3]), np.zeros(1, np.uint32), np.ones(1, np.int64), 3)
    with pytest.raises(ValueError, match="starts"):
        contract_ties(np.zeros(2, np.uint32), np.array([0, 1]))


# --- wording -----------------------------------------------------------------------------------------------

GRADE = """Act as a strict examiner. Grade the submission against the rubric and explain each deduction in a
full sentence. When two criteria contradict each other, follow the stricter one. At the end write the mark you
settled on."""
GRADE_AGAIN = """Hello, here is what we agreed on. At the end write the mark you settled on. Each deduction
against the rubric is explained in a full sentence: <slot>. When criteria contradict, the stricter examiner in
you grades the submission."""


def townspeople(n=120):
    """Instructions of their own: ordinary English around words of each one's trade."""
    say = Speech(5)
    return [
        f"Please {say(2)} the {say(2)} and write in a full sentence what the {say(3)} costs when people "
        f"{say(2)} it each season. At the end list the {say(3)} that you would {say(2)} against the {say(2)}."
        for _ in range(n)
    ]


def wording(skeletons):
    accounts, starts = flat([[3 * n, 3 * n + 1, 3 * n + 2] for n in range(len(skeletons))])
    return wording_ties(skeletons, accounts, starts)


def test_a_reordered_and_wrapped_instruction_is_still_known_by_its_words():
    ties = pairs(wording([*townspeople(), GRADE, GRADE_AGAIN]))
    assert ties[120, 121] >= GROUP_STRENGTH
    assert [pair for pair, strength in ties.items() if strength >= GROUP_STRENGTH] == [(120, 121)]


def test_what_fills_the_slots_is_marked_and_does_not_count():
    ties = pairs(wording([*townspeople(), f"<text> {GRADE} <code>", f"{GRADE_AGAIN} <json> <number>"]))
    assert ties[120, 121] >= GROUP_STRENGTH


def test_two_texts_are_not_alike_for_being_in_one_rare_language():
    finnish = [
        "Kirjoita lyhyt arvio tästä tekstistä ja kerro, mitä siinä olisi parannettava ennen julkaisemista",
        "Laske, paljonko rahaa yritys säästää vuodessa, jos se vaihtaa lämmityksen maalämpöön ensi keväänä",
    ]
    assert (120, 121) not in pairs(wording([*townspeople(), *finnish]))


def foreigners(n_languages, n_each=20):
    """Instructions in languages that share no letter, each of too few families to be measured in."""
    say = Speech(6)
    alphabets = [{ord("a") + at: chr(0xAC00 + 26 * n + at) for at in range(26)} for n in range(n_languages)]
    return [say(30).translate(letters) for letters in alphabets for _ in range(n_each)]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_families_that_nothing_can_be_measured_of_do_not_hide_those_of_which_it_can():
    """Of 352 families 32 have peers: fewer pairs than the hundredth of all that the tail begins with."""
    ties = pairs(wording([*townspeople(30), GRADE, GRADE_AGAIN, *foreigners(16)]))
    assert [pair for pair, strength in ties.items() if strength >= GROUP_STRENGTH] == [(30, 31)]
    assert len(wording(foreigners(16))) == 0


def test_a_night_of_few_families_has_no_spread_and_no_wording_ties():
    assert len(wording([GRADE, GRADE_AGAIN, *townspeople(10)])) == 0
    assert len(wording([])) == 0


def test_wording_is_the_same_on_every_run():
    night = [*townspeople(), GRADE, GRADE_AGAIN]
    assert pairs(wording(night)) == pairs(wording(night))


# --- fragments ---------------------------------------------------------------------------------------------


def test_pieces_that_the_same_accounts_hold_in_all_combinations_are_tied_where_words_agree():
    rng = RNG(2)
    pool = np.arange(100)
    held = [np.sort(rng.choice(pool, 40, replace=False)) for _ in range(6)]
    held += [np.arange(1_000 + 20 * n, 1_020 + 20 * n) for n in range(200)]
    accounts, starts = flat(held)
    support = drawn_ties(
        *[(a, b, "wording", 2.0) for a in range(6) for b in range(a + 1, 6)], (0, 10, "wording", 2.0)
    )
    ties = pairs(fragment_ties(accounts, starts, support))
    assert set(ties) == {(a, b) for a in range(6) for b in range(a + 1, 6)}


def test_agreement_of_sources_alone_is_no_support_for_fragments():
    accounts, starts = flat([range(30), range(30), *[range(100 + n, 130 + n) for n in range(50)]])
    assert len(fragment_ties(accounts, starts, drawn_ties((0, 1, "source", 8.0)))) == 0
    assert len(fragment_ties(accounts, starts, drawn_ties((0, 1, "contract", 3.0)))) == 1


def test_gateways_that_hold_everything_do_not_make_their_templates_one_operators():
    gateways = range(20)
    held = [[*gateways, *range(100 + 10 * n, 110 + 10 * n)] for n in range(MOST_HELD + 8)]
    accounts, starts = flat(held)
    assert len(fragment_ties(accounts, starts, drawn_ties((0, 1, "wording", 2.0)))) == 0


# --- groups ------------------------------------------------------------------------------------------------


def groups(*rows, n=20):
    found = tie_groups(drawn_ties(*rows), n, 5.0)
    return [found.members(at).tolist() for at in range(len(found))]


def test_kinds_add_up():
    assert groups((1, 2, "contract", 3.0), (1, 2, "wording", 3.0)) == [[1, 2]]
    assert groups((1, 2, "contract", 3.0)) == []


def test_a_triangle_is_a_group_and_a_chain_is_not():
    assert groups((1, 2, "wording", 7.0), (2, 3, "wording", 6.0), (1, 3, "wording", 6.0)) == [[1, 2, 3]]
    chain = groups(*[(n, n + 1, "wording", 7.0 - n / 10) for n in range(8)])
    assert all(len(group) == 2 for group in chain)


def test_two_kinds_join_what_one_kind_does_not():
    rows = [(1, 2, "wording", 8.0), (2, 3, "wording", 4.0), (2, 3, "source", 3.0)]
    assert groups(*rows) == [[1, 2, 3]]


def test_two_groups_are_not_joined_by_one_mistake():
    one = [(a, b, "wording", 7.0) for a in range(5) for b in range(a + 1, 5)]
    other = [(a, b, "wording", 7.0) for a in range(10, 15) for b in range(a + 1, 15)]
    assert groups(*one, *other, (2, 12, "wording", 6.5)) == [
        [0, 1, 2, 3, 4],
        [10, 11, 12, 13, 14],
    ]
    # Stronger than all others, it takes two members with it, and still joins nothing else.
    assert groups(*one, *other, (2, 12, "wording", 6.5), (2, 12, "source", 6.5)) == [
        [2, 12],
        [0, 1, 3, 4],
        [10, 11, 13, 14],
    ]


def test_earlier_families_may_be_tied_to_tonights_but_not_to_each_other():
    ties = drawn_ties((0, 1, "wording", 7.0), (1, 2, "wording", 7.0))
    assert list(pairs(ties.touching(np.array([True, False, False])))) == [(0, 1)]


@given(
    st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from(KINDS), st.floats(1, 8)),
        max_size=40,
    )
)
@settings(deadline=None, max_examples=60)
def test_groups_are_disjoint_ascending_and_held_together_by_ties(rows):
    once = {(min(a, b), max(a, b), kind): s for a, b, kind, s in rows if a != b}
    ties = drawn_ties(*[(*key, s) for key, s in once.items()])
    found = tie_groups(ties, 12, 5.0)
    seen = [one for at in range(len(found)) for one in found.members(at).tolist()]
    assert len(seen) == len(set(seen))
    for at in range(len(found)):
        members = found.members(at).tolist()
        assert members == sorted(members)
        assert len(members) >= 2
        assert found.n_ties[at] >= len(members) - 1
        assert found.strength[at] >= 5.0
