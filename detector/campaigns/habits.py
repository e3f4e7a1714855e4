"""Accounts by their habits: how long answers are, whether anybody talks, which tools are called.

Here: habits in coarse steps, and the classes of accounts that a group falls into by them. Not here: what an
account shares with others (population), what becomes of the classes (communities).

Two operators who took one published text, or an operator and the users of an honest app that took it as well,
are tied to one another by nothing but that text, and differ in what they do with it. Accounts to which one
scheduler deals have habits that vary, too, but one varies whatever the others do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from detector.campaigns.decision import Part
from detector.campaigns.population import Bool, Float64, Int64, Population

Steps = npt.NDArray[np.int8]

HABITS: dict[str, tuple[Part, ...]] = {
    "input_tokens_mean": (),
    "single_turn_share": ("content",),
    "training_share": ("content",),
    "output_tokens_mean": ("content",),
    "repeat_share": ("content", "history"),
    "shared_item_share": ("content",),
    "multi_sample_share": ("content",),
    "n_systems": ("content",),
    "zero_temperature_share": ("content",),
    "structured_share": ("content",),
    "thinking_share": ("content",),
    "tools_share": ("content",),
    "n_end_users": ("identity",),
    "account_age_days": ("lifecycle",),
}
"""Features of an account's day that are habits (docs/features.md), and the parts of the judgement that each
needs. None is a country, a language or a subject: who asks for something else is no other operator. Nor the
number of requests: whether classes are dealt different loads is asked of them afterwards."""

STEPS = 8
"""Steps of a habit, an eighth of the night's accounts each: finer would say more of chance than of habits."""


def in_steps(values: Sequence[Float64]) -> Steps:
    """Habits in steps that hold about as many of the night's accounts each.

    Parameters
    ----------
    values : float64 arrays of shape (n_accounts,), one a habit; NaN unknown

    Returns
    -------
    int8, shape (n_habits, n_accounts): 0 to STEPS - 1, -1 unknown. What most accounts have in common is one
    step, and what is above it another.
    """
    steps = [np.full(len(one), -1, np.int8) for one in values]
    for step, one in zip(steps, values, strict=True):
        known = np.isfinite(one)
        if known.any():
            edges = np.unique(np.quantile(one[known], np.arange(1, STEPS) / STEPS))
            step[known] = np.searchsorted(edges, one[known], "left")
    return np.array(steps, np.int8).reshape(len(steps), -1)


MOST_FITTED = 500
"""Members whose habits are looked at to find the classes: a tenth is then known to three points either way,
and a group of a hundred thousand costs no more."""

MOST_CLASSES = 8


def classes_of(steps: Steps, members: Int64, least_members: int) -> list[Int64]:
    """The classes of accounts that a group falls into by its habits, or none when it is one.

    Parameters
    ----------
    steps : int8, shape (n_habits, n_accounts), as `in_steps` gives them
    members : int64, ascending positions of accounts
    least_members : no class is smaller

    Returns
    -------
    int64 arrays, ascending; together they are the members. Within a class habits are independent of one
    another, as far as so many accounts can show: a group is cut in two as long as two classes explain the
    habits better than one (Schwarz's criterion), the largest first.

    Source: latent class analysis, Goodman, Biometrika 61 (1974) 215; Schwarz, Annals of Statistics 6 (1978)
    461.
    """
    whole: list[Int64] = []
    left = [members]
    # Matrices this small are multiplied ten times faster without threads when the machine is busy.
    with _threads().limit(limits=1, user_api="blas"):
        while left and len(whole) + len(left) < MOST_CLASSES:
            group = left.pop(int(np.argmax([len(one) for one in left])))
            is_first = _cut(steps[:, group]) if len(group) >= 2 * least_members else None
            if is_first is None or min(is_first.sum(), (~is_first).sum()) < least_members:
                whole.append(group)
            else:
                left += [group[is_first], group[~is_first]]
    found = sorted([*whole, *left], key=lambda group: int(group[0]))
    return found if len(found) > 1 else []


TIED = 0.1
"""Share of a class of accounts whose cards pay for others of the group as well, from which one pocket pays
for both."""


def own_classes(population: Population, members: Int64, least_members: int) -> list[Int64]:
    """Those of a group's classes that no card ties to the rest of it: one operator's teams have habits of
    their own, too, and one pocket. Parameters as for `classes_of`."""
    cards = population.payment
    found = []
    for own in classes_of(population.habits, members, least_members):
        rest = np.setdiff1d(members, own, assume_unique=True)
        if (np.isin(cards[own], cards[rest]) & (cards[own] >= 0)).mean() < TIED:
            found.append(own)
    return found


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()


def _cut(steps: Steps) -> Bool | None:
    """Which accounts are of the first of two classes, given all habits of some accounts; None when one class
    explains them as well."""
    told, habit = _told_apart(steps)
    n_free = len(habit) - len(np.unique(habit))
    if n_free == 0:
        return None
    fitted = told[:: -(-len(told) // MOST_FITTED)]
    alone = float((fitted @ _log_chances(fitted, np.ones((len(fitted), 1)), habit).T).sum())
    best = max(
        (_two_classes(fitted, habit, guess) for guess in _first_guesses(fitted)), key=lambda two: two.total
    )
    # A second class needs as many numbers again, and its size.
    if 2 * (best.total - alone) <= (n_free + 1) * np.log(len(fitted)):
        return None
    each = told @ best.log_chances.T + best.log_sizes
    return np.asarray(each[:, 0] > each[:, 1])


@dataclass(frozen=True, slots=True)
class _TwoClasses:
    """Two classes that explain some accounts' habits.

    total : log-likelihood
    log_chances : float64, shape (2, n_columns): of each step within each class
    log_sizes : float64, shape (2,)
    """

    total: float
    log_chances: Float64
    log_sizes: Float64


def _two_classes(told: Float64, habit: Int64, belongs: Float64) -> _TwoClasses:
    """Expectation and maximisation from a first guess of who belongs where, shape (n_accounts, 2)."""
    total = -np.inf
    for _ in range(MOST_ROUNDS):
        log_chances, log_sizes = _log_chances(told, belongs, habit), np.log(belongs.mean(axis=0))
        each = told @ log_chances.T + log_sizes
        together = np.logaddexp(each[:, 0], each[:, 1])
        belongs = np.clip(np.exp(each - together[:, None]), SMALLEST, 1)
        total, before = float(together.sum()), total
        if total - before < CONVERGED:
            break
    return _TwoClasses(total, log_chances, log_sizes)


MOST_ROUNDS, CONVERGED = 30, 0.1
"""Rounds of expectation and maximisation, and the log-likelihood that is too little to go on for."""

SMALLEST = 1e-12
"""Least probability of belonging to a class: none is empty."""


def _told_apart(steps: Steps) -> tuple[Float64, Int64]:
    """One row for each account, one column for each step that some take and some do not, 1 where taken; and
    the habit of each column."""
    of_step = [
        (habit, row == step)
        for habit, row in enumerate(steps)
        for step in range(STEPS)
        if 0 < np.count_nonzero(row == step) < len(row)
    ]
    taken = np.array([column for _, column in of_step], np.float64).reshape(len(of_step), steps.shape[1])
    return taken.T, np.array([habit for habit, _ in of_step], np.int64)


N_GUESSES = 3
"""Directions to start from: what differs most need not be what tells the classes apart."""


def _first_guesses(told: Float64) -> list[Float64]:
    """Probabilities of two classes to start from: either side of the median along each of the directions in
    which accounts differ most."""
    away = told - told.mean(axis=0)
    along = away @ np.linalg.eigh(away.T @ away)[1][:, -N_GUESSES:]
    is_first = along > np.median(along, axis=0)
    return [np.stack([np.where(one, 0.9, 0.1), np.where(one, 0.1, 0.9)], axis=1) for one in is_first.T[::-1]]


def _log_chances(told: Float64, belongs: Float64, habit: Int64) -> Float64:
    """log of the chance of each step within each class; half an account more everywhere (Krichevsky,
    Trofimov, IEEE Trans. Inform. Theory 27, 1981)."""
    taken = belongs.T @ told + 0.5
    of_habit = np.stack([np.bincount(habit, one)[habit] for one in taken])
    return np.asarray(np.log(taken / of_habit))
