"""Findings whose refused requests go on at one another's accounts are one client's."""

from dataclasses import replace

import numpy as np
from nights import Night

from detector.campaigns import Candidate, FailOvers, unions
from detector.campaigns.population import Int64, Population


def night_of(*sizes: int) -> tuple[Population, list[Candidate]]:
    """A hundred people, and for each size a group with a text of its own, as a candidate."""
    night = Night()
    night.people(100)
    found, first = [], 100
    for number, n in enumerate(sizes):
        night.campaign(f"group{number}", n)
        members = np.arange(first, first + n)
        found.append(Candidate(members, np.full(n, 0.9), np.array([number]), np.array([4.0])))
        first += n
    return night.population(), found


def with_fail_overs(population: Population, *pairs: tuple[int, int]) -> Population:
    account, heir = np.array(sorted(pairs)).T if pairs else np.empty((2, 0), np.int64)
    return replace(population, fail_overs=FailOvers(account, heir, np.ones(len(account))))


def together(population: Population, candidates: list[Candidate]) -> list[list[int]]:
    return [one.members.tolist() for one in unions(candidates, population)]


def members(*parts: Candidate) -> Int64:
    return np.concatenate([part.members for part in parts])


def test_groups_that_take_over_from_one_another_are_one_clients() -> None:
    population, (french, german, other) = night_of(30, 20, 25)
    f, g = french.members, german.members
    tied = with_fail_overs(population, (f[0], g[3]), (g[5], f[7]), (f[1], f[2]), (g[1], g[2]))
    [union] = unions([french, german, other], tied)
    assert union.members.tolist() == members(french, german).tolist()
    assert union.core.tolist() == [0, 1]
    assert union.strength.tolist() == [0.9] * 50


def test_three_hang_together_by_the_one_in_the_middle() -> None:
    population, (a, b, c) = night_of(10, 10, 10)
    pairs = [(a.members[n], b.members[n]) for n in (0, 1)] + [(b.members[n], c.members[n]) for n in (2, 3)]
    assert together(with_fail_overs(population, *pairs), [a, b, c]) == [members(a, b, c).tolist()]


def test_one_pair_or_one_account_that_fails_over_to_many_ties_nobody() -> None:
    population, (a, b) = night_of(10, 10)
    assert together(with_fail_overs(population, (a.members[0], b.members[0])), [a, b]) == []
    hub = [(a.members[0], account) for account in b.members]
    assert together(with_fail_overs(population, *hub), [a, b]) == []
    assert together(with_fail_overs(population), [a, b]) == []


def test_accounts_that_two_operators_rent_tie_nobody() -> None:
    """Each fails over to them; neither to the other."""
    population, (a, rented, b) = night_of(10, 6, 10)
    one = replace(a, members=members(a, rented), strength=np.ones(16))
    other = replace(b, members=members(rented, b), strength=np.ones(16))
    pairs = [(a.members[n], rented.members[n]) for n in range(5)]
    pairs += [(rented.members[n], b.members[n]) for n in range(5)]
    assert together(with_fail_overs(population, *pairs), [one, other]) == []


def test_two_wrong_links_among_hundreds_of_right_ones_tie_nobody() -> None:
    population, (a, b) = night_of(40, 40)
    right = [(group.members[n], group.members[n + 1]) for group in (a, b) for n in range(39)]
    wrong = [(a.members[n], b.members[n]) for n in (0, 9)]
    assert together(with_fail_overs(population, *right, *wrong), [a, b]) == []
