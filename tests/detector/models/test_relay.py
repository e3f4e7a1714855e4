"""Relays: one text added to many products' requests, told from honest resellers, and never more than
watched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.models import lone
from detector.text.repeated import OwnedTexts
from tests.detector.models.accounts import crowd

ADDED = list(range(1_000, 1_030))
"""An instruction of some forty words."""


def texts_of(rows):
    """Texts of one account after another from lists of shingles."""
    lengths = np.array([len(text) for _, text in rows], np.int64)
    flat = np.array([shingle for _, text in rows for shingle in text], np.uint32)
    owners = np.array([owner for owner, _ in rows], np.int64)
    return OwnedTexts.of(flat, np.append(0, np.cumsum(lengths)).astype(np.int64), owners)


class Fresh:
    """Words nobody used before."""

    def __init__(self):
        self.last = 1_000_000

    def words(self, n):
        self.last += n
        return list(range(self.last - n, self.last))


def reseller(fresh, *, n_products=20, each=12, in_systems=(), in_prompts=(), training=0.35, own=True):
    """(system prompts, [(product or None, prompt, training)]) of one account with so many customers."""
    systems = [[*in_systems, *(fresh.words(9) if own else [])] for _ in range(n_products)]
    prompts = [
        (product, [*fresh.words(12), *in_prompts], training)
        for product in [*range(n_products), None]
        for _ in range(each)
    ]
    return systems, prompts


def public_texts(*texts):
    flat = np.array([shingle for text in texts for shingle in sorted(text)], np.uint32)
    return lone.PublicTexts.of(flat, np.append(0, np.cumsum([len(text) for text in texts])).astype(np.int64))


def measured(*accounts, public=()):
    systems, prompts, system_of, training = [], [], [], []
    for owner, (own_systems, own_prompts) in enumerate(accounts):
        first = len(systems)
        systems += [(owner, text) for text in own_systems]
        for product, text, share in own_prompts:
            prompts.append((owner, text))
            system_of.append(-1 if product is None else first + product)
            training.append(share)
    rng = np.random.default_rng(2)
    noisy = np.clip(np.array(training) + rng.normal(0, 0.1, len(training)), 0, 1)
    known = lone.Public(public_texts(*public), public_texts(*public))
    return lone.added_text(
        texts_of(prompts), texts_of(systems), np.array(system_of, np.int64), noisy, known, len(accounts)
    )


def flagged(*accounts, usual=(0.3, 0.33, 0.34, 0.36, 0.38, 0.4), public=(), **changes):
    added = measured(*accounts, public=public)
    n = len(accounts)
    columns = crowd(n, n_systems=20, n_scripts=6, **changes) | added.columns
    found = lone.relays(columns, np.array(usual))
    assert all((f.profile, f.confidence, f.recommended_action) == ("relay", "low", "watch") for f in found)
    return [finding.row for finding in found]


@pytest.mark.parametrize("place", ["in_systems", "in_prompts"])
def test_one_instruction_over_many_products_is_a_relay_wherever_it_stands(place):
    fresh = Fresh()
    honest, relay = reseller(fresh), reseller(fresh, training=0.55, **{place: ADDED})
    assert flagged(honest, relay, honest) == [1]


def test_it_says_what_it_saw_and_what_to_ask_the_reseller():
    fresh = Fresh()
    relay = reseller(fresh, training=0.55, in_systems=ADDED)
    added = measured(relay, reseller(fresh))
    (finding,) = lone.relays(crowd(2, n_systems=20) | added.columns, np.full(6, 0.35))
    by_code = {reason.code: reason for reason in finding.reasons}
    assert by_code["n_products"].value == 20
    assert by_code["n_products"].usual_range == "0 to 0 products"
    assert by_code["added_text_share"].value == pytest.approx(20 / 21)
    assert by_code["added_text_training"].usual_range == "35 to 35 %"
    assert "who wrote the added text" in by_code["ask_the_reseller"].detail


def test_honest_resellers_are_left_alone():
    fresh = Fresh()
    passes_on = reseller(fresh)
    house_rules = reseller(fresh, in_systems=ADDED)  # which ask for nothing that trains a model
    one_product = reseller(fresh, in_systems=ADDED, own=False, training=0.55)  # a date, a name: no product
    few = reseller(fresh, n_products=9, in_systems=ADDED, training=0.55)
    assert flagged(passes_on, house_rules, one_product, few) == []


def test_each_customers_own_template_is_no_added_text():
    fresh = Fresh()
    systems, prompts = reseller(fresh, training=0.55)
    templates = [fresh.words(20) for _ in systems]
    prompts = [
        (product, text if product is None else text + templates[product], share)
        for product, text, share in prompts
    ]
    added = measured((systems, prompts))
    assert (added.n_products[0], added.added_text_share[0]) == (0, 0)
    assert added.own_text_share[0] == 0  # none of twenty makes a tenth of the prompts


def test_a_frameworks_text_a_repeating_suite_and_a_minority_are_none():
    fresh = Fresh()
    relay = reseller(fresh, training=0.55, in_systems=ADDED)
    assert flagged(relay, public=[ADDED]) == []
    assert flagged(relay, repeat_share=0.9) == []
    systems, prompts = relay
    talk = [(None, fresh.words(12), 0.35) for _ in range(len(prompts))]
    assert flagged((systems, prompts + talk)) == []
    assert flagged(relay, usual=(0.3, 0.3, 0.3, 0.3)) == [], "four others show no range"


@pytest.mark.parametrize("place", ["in_systems", "in_prompts"])
def test_a_text_beside_a_public_one_that_customers_like_is_still_added(place):
    fresh, favourite = Fresh(), list(range(2_000, 2_040))
    systems, prompts = reseller(fresh, training=0.55, **{place: ADDED})
    systems = [system + favourite * (at % 3 == 0) for at, system in enumerate(systems)]
    assert flagged((systems, prompts), public=[favourite]) == [0]
    assert flagged((systems, prompts), public=[favourite, ADDED]) == []


SOME_SHINGLES = st.sets(st.integers(0, 30), max_size=12)


@given(st.lists(SOME_SHINGLES, max_size=6), st.lists(SOME_SHINGLES, max_size=3))
def test_public_texts_are_recognised_by_half_and_what_stands_beside_them_stays(texts, owned):
    every = [(at << 32) + shingle for at, own in enumerate(owned) for shingle in sorted(own)]
    slow = [
        (at << 32) + shingle
        for at, own in enumerate(owned)
        for shingle in sorted(own)
        if not any(shingle in text and 2 * len(text & own) >= min(len(text), len(own)) for text in texts)
    ]
    assert public_texts(*texts).without(np.array(every, np.uint64)).tolist() == slow
