"""Nights drawn account by account: a test says who is there, the rest is ordinary.

Here: people, campaigns and look-alikes as the campaign stage sees them, with numbers drawn from a seed. Not
here: requests and texts; pipelines.simulate makes those.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from detector.campaigns import (
    HABITS,
    Candidate,
    Evidence,
    Layer,
    Policy,
    Population,
    Uses,
    Verdict,
    candidates,
    decide,
    group_of,
    in_steps,
    shared_objects,
    standing,
    weigh,
)

KINDS = (
    "template",
    "system_prompt",
    "tool_set",
    "payment",
    "address",
    "client",
    "parameters",
    "fail_over",
    "sign_up",
    "size",
)

DAYTIME = np.array(
    [1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 12, 12, 13, 13, 12, 11, 10, 9, 8, 6, 4, 2], np.float64
)
"""Requests per hour of people in one part of the world."""

OF_HABIT = dict.fromkeys(HABITS) | {
    "single_turn_share": "single_turn_share",
    "training_share": "training_share",
    "output_tokens_mean": "output_tokens_mean",
    "repeat_share": "repeat_share",
    "zero_temperature_share": "greedy_share",
    "tools_share": "tools_share",
    "account_age_days": "account_age_days",
}
"""What is drawn of an account for each habit; the others are unknown."""

Objects = Mapping[str, Mapping[str, float]]
"""kind of layer -> name of the object -> share of the account's requests that carried it"""


@dataclass
class Account:
    """One account's night; defaults are an ordinary person's."""

    name: str
    n_requests: float
    objects: Objects
    single_turn_share: float = 0.4
    training_share: float = 0.1
    repeat_share: float = 0.0
    output_tokens_mean: float = 300.0
    account_age_days: float = 300.0
    new_model_share: float = 0.0
    greedy_share: float = 0.1
    tools_share: float = 0.0
    nights_seen: float = float("nan")
    account_score: float = 0.5
    organisation: str | None = None
    approved: bool = False
    hours: np.ndarray = field(default_factory=lambda: DAYTIME)
    shared_items: float = 0.0
    """share of its templated items that another account sent too"""
    earlier_uses: float = 0.0
    """requests from its templates on earlier nights, in multiples of tonight's"""
    training_of_templates: float = 0.1
    repeated_of_templates: float = float("nan")
    """share of its templated requests whose item it sent before; as of all its requests unless told"""


class Night:
    """A night to fill with groups of accounts."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.accounts: list[Account] = []

    def add(
        self, group: str, n: int, *, objects: Sequence[Objects] | Objects = (), **facts: Any
    ) -> list[str]:
        """Add n accounts named after their group; a fact may be a number or one number an account.

        `objects` may be one mapping for all or one an account. What is not said is drawn as for a person.
        """
        rng = self.rng
        drawn: dict[str, Any] = {
            "n_requests": np.maximum(np.round(rng.lognormal(2.3, 1.2, n)), 1),
            "single_turn_share": rng.beta(2, 2, n),
            "training_share": rng.beta(1, 9, n),
            "output_tokens_mean": rng.lognormal(5.5, 0.6, n),
            "account_age_days": rng.integers(1, 900, n).astype(np.float64),
            "account_score": rng.random(n),
        }
        names = []
        for at in range(n):
            mine = {
                key: value[at] if isinstance(value, (np.ndarray, list)) else value
                for key, value in (drawn | facts).items()
                if key != "hours"
            }
            own = objects if isinstance(objects, Mapping) else (objects[at] if len(objects) else {})
            name = f"{group}-{at:03}"
            ordinary = {
                "payment": {f"card of {name}": 1.0},
                "address": {f"home of {name}": 1.0},
                "client": {f"browser {rng.integers(5)}": 1.0},
                "parameters": {f"default {rng.integers(3)}": 1.0},
            }
            self.accounts.append(
                Account(
                    name,
                    objects=ordinary | dict(own),
                    **mine,
                    **({"hours": facts["hours"]} if "hours" in facts else {}),
                )
            )
            names.append(name)
        return names

    def people(self, n: int = 300) -> list[str]:
        """People with texts of their own and heavy-tailed volumes."""
        return self.add("person", n)

    def campaign(self, group: str = "kiln", n: int = 60, **facts: Any) -> list[str]:
        """Accounts that work off one queue with two templates, evenly, by one kit, on a few cards."""
        objects = [
            {
                "template": {f"{group} template 1": 0.5, f"{group} template 2": 0.45},
                "payment": {f"{group} card {at % 10}": 1.0},
                "address": {f"{group} exit {at % 12}": 1.0},
                "client": {f"{group} kit": 1.0},
            }
            for at in range(n)
        ]
        plain = {
            "objects": objects,
            "n_requests": self.rng.poisson(40, n).astype(np.float64),
            "single_turn_share": 1.0,
            "training_share": 0.85,
            "training_of_templates": 0.9,
            "account_age_days": self.rng.integers(1, 30, n).astype(np.float64),
            "account_score": self.rng.uniform(0.6, 1.0, n),
            "output_tokens_mean": 700.0,
            "hours": np.ones(24),
        }
        return self.add(group, n, **(plain | facts))

    def population(self, order: Iterable[int] | None = None) -> Population:
        """The night as arrays; `order` puts the accounts in another order."""
        accounts = self.accounts if order is None else [self.accounts[at] for at in order]
        codes: dict[str, int] = {}

        def code(name: str | None) -> int:
            return -1 if name is None else codes.setdefault(name, len(codes))

        def column(name: str | None) -> np.ndarray:
            return np.array([getattr(account, name) if name else np.nan for account in accounts], np.float64)

        rows = {kind: _rows(accounts, kind) for kind in KINDS}
        layers = tuple(
            Layer(
                kind,
                np.array([account for account, _, _ in rows[kind]], np.int64),
                np.array([thing for _, thing, _ in rows[kind]], np.int64),
                np.array([share for _, _, share in rows[kind]], np.float64),
                len({thing for _, thing, _ in rows[kind]}),
            )
            for kind in KINDS
            if rows[kind]
        )
        n_requests = column("n_requests")
        return Population(
            n_requests=n_requests,
            output_tokens=n_requests * column("output_tokens_mean"),
            hour_counts=np.array([a.hours / a.hours.sum() * a.n_requests for a in accounts]).reshape(-1, 24),
            single_turn_share=column("single_turn_share"),
            training_share=column("training_share"),
            repeat_share=column("repeat_share"),
            output_tokens_mean=column("output_tokens_mean"),
            account_age_days=column("account_age_days"),
            new_model_share=column("new_model_share"),
            greedy_share=column("greedy_share"),
            nights_seen=column("nights_seen"),
            account_score=column("account_score"),
            organisation=np.array([code(account.organisation) for account in accounts], np.int64),
            payment=np.array(
                [code(next(iter(a.objects.get("payment", ())), None)) for a in accounts], np.int64
            ),
            approved=np.array([account.approved for account in accounts], np.bool_),
            habits=in_steps([column(OF_HABIT[name]) for name in HABITS]),
            layers=layers,
            templates=_uses(accounts, rows["template"]),
            systems=_uses(accounts, rows["system_prompt"]),
        )


def _rows(accounts: Sequence[Account], kind: str) -> list[tuple[int, int, float]]:
    """(account, object, share), ordered by object and account, objects numbered by name."""
    names = sorted({name for account in accounts for name in account.objects.get(kind, ())})
    number = {name: at for at, name in enumerate(names)}
    return sorted(
        (
            (at, number[name], share)
            for at, a in enumerate(accounts)
            for name, share in a.objects.get(kind, {}).items()
        ),
        key=lambda row: (row[1], row[0]),
    )


def _uses(accounts: Sequence[Account], rows: Sequence[tuple[int, int, float]]) -> Uses:
    n_requests = np.array([accounts[at].n_requests * share for at, _, share in rows])
    shared = np.array([accounts[at].shared_items for at, _, _ in rows])
    training = np.array([accounts[at].training_of_templates for at, _, _ in rows])
    earlier = np.array([accounts[at].earlier_uses for at, _, _ in rows])
    repeated = np.array([accounts[at].repeated_of_templates for at, _, _ in rows])
    of_account = np.nan_to_num([accounts[at].repeat_share for at, _, _ in rows])
    again = np.where(np.isnan(repeated), of_account, repeated)
    return Uses(
        n_requests, n_requests * earlier, n_requests, n_requests * shared, n_requests * training,
        n_requests * again,
    )  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A candidate with names for its members, what speaks for it, and the verdict."""

    members: tuple[str, ...]
    evidence: list[Evidence]
    verdict: Verdict

    def piece(self, code: str) -> Evidence:
        return next(piece for piece in self.evidence if piece.code == code)


INNOCENT_NIGHTS = np.linspace(-6.0, 1.0, 60)
"""Log-odds of the communities of earlier nights on which nothing happened."""


def grouped(night: Night, order: Iterable[int] | None = None) -> list[Candidate]:
    population = night.population(order)
    return candidates(population, shared_objects(population))


def judged(
    night: Night, reference: np.ndarray = INNOCENT_NIGHTS, policy: Policy | None = None
) -> list[Judged]:
    """All candidates of the night and their verdicts; of those flagged only the ones that stand."""
    population = night.population()
    objects = shared_objects(population)
    found = candidates(population, objects)
    groups = [group_of(candidate, population, objects) for candidate in found]
    evidence = [weigh(group) for group in groups]
    verdicts = decide(evidence, reference, has_content=population.has_content, policy=policy or Policy())
    stand = standing(groups, [one.log_odds for one in verdicts], [one.flagged for one in verdicts])
    shown = {*stand} | {at for at, verdict in enumerate(verdicts) if not verdict.flagged}
    return [
        Judged(
            tuple(night.accounts[account].name for account in found[at].members), evidence[at], verdicts[at]
        )
        for at in sorted(shown)
    ]


def flagged(night: Night, reference: np.ndarray = INNOCENT_NIGHTS) -> list[Judged]:
    return [one for one in judged(night, reference) if one.verdict.flagged]


def campaign(**facts: object) -> Judged:
    """The largest group of a night of 300 people and one campaign, with these facts about its accounts."""
    night = Night()
    night.people(300)
    night.campaign(**facts)
    return max(judged(night), key=lambda one: len(one.members))
