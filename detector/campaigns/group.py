"""A candidate and what the evidence looks at: its members, and their use of the texts that hold it together.

Here: from a candidate to the arrays of one group. Not here: what they are evidence of (evidence).
"""

from dataclasses import dataclass, replace

import numpy as np

from detector.campaigns.population import (
    Bool,
    Float64,
    Int64,
    Layer,
    Population,
    SharedObjects,
    Uses,
)
from detector.campaigns.refining import Candidate
from detector.campaigns.turns import Turns

LEAST_KNOWN = 0.5
"""Share of members of whom something must be known before it is said of the group."""


@dataclass(frozen=True, slots=True)
class Slots:
    """What fills the slots of the texts a group shares, or stands under its system prompts, measured on some
    of its members' requests.

    n_items : different prompts; n_compared : accounts that sent two or more, which alone tell of likeness
    likeness, likeness_error : intraclass correlation of an account's items, 0 for a list dealt out, about 0.1
        to 0.6 for people's own texts, and its standard error; NaN when not known
    shared : share of what accounts sent that another member sent, too, 0 to 1; NaN without items
    top_item : share of the accounts that sent the most common item, 0 to 1; NaN without items
    geometric_z : standard errors by which requests per account vary more (above 0) or less than those of
        people who each time go on with the same probability; NaN when not known

    See detector.text.Queues, where these are defined.
    """

    n_items: int
    n_compared: int
    likeness: float
    likeness_error: float
    shared: float
    top_item: float
    geometric_z: float


@dataclass(frozen=True, slots=True)
class Group:
    """A candidate with what the pieces of evidence look at.

    members : int64, ascending positions of accounts
    layer : the kind of text the group shares, `template` or `system_prompt`
    rows : int64, rows of that layer that belong to members and to the texts typical of the group
    account : int64, the position of each of those rows' account
    uses : what those rows carry
    slots : what fills the slots of the group's templates; None when that was not measured
    turns : how the members' requests follow one another; None when that was not measured
    by_habits : told from a larger group by what its accounts do (Candidate)
    """

    population: Population
    members: Int64
    layer: str
    rows: Int64
    account: Int64
    uses: Uses
    slots: Slots | None = None
    turns: Turns | None = None
    by_habits: bool = False

    def of(self, members: Int64) -> "Group":
        """The same of some of its members, ascending; samples stay those of all."""
        kept = np.isin(self.account, members)
        return replace(
            self, members=members, rows=self.rows[kept], account=self.account[kept], uses=self.uses.at(kept)
        )

    @property
    def others(self) -> Bool:
        """bool, shape (n_accounts,): all but the members. Costs as much as the night is long."""
        others = np.ones(len(self.population), dtype=np.bool_)
        others[self.members] = False
        return others

    def rows_in(self, layer: Layer) -> Int64:
        """The members' rows of a layer of the population, ascending."""
        return self.population.rows_of(layer, self.members)

    @property
    def has_content(self) -> bool:
        """Whether the log carried the prompts of most members."""
        return bool(np.isfinite(self.population.training_share[self.members]).mean() >= LEAST_KNOWN)

    @property
    def templated_requests(self) -> Float64:
        """Requests of each member tonight that carry the shared texts; one that carries two counts once, as
        far as the account's number of requests tells."""
        return np.minimum(self.carried_requests, self.population.n_requests[self.members])

    @property
    def carried_requests(self) -> Float64:
        """The same, one that carries two texts counted twice."""
        member = np.searchsorted(self.members, self.account)
        carried = np.bincount(member, weights=self.uses.n_requests, minlength=len(self.members))
        return np.asarray(carried, np.float64)

    @property
    def work(self) -> Float64:
        """Requests of each member tonight that count as the group's: those that carry the shared texts, and
        all of a member that carries none but is held by other things."""
        carried = self.templated_requests
        return np.where(carried > 0, carried, self.population.n_requests[self.members])

    @property
    def earlier_requests(self) -> Float64:
        """Requests of each member from the shared texts on earlier nights: those of the text it used most."""
        earlier = np.zeros(len(self.members))
        member = np.searchsorted(self.members, self.account)
        np.maximum.at(earlier, member, self.uses.n_earlier_requests)
        return earlier

    @property
    def templated_share(self) -> float:
        """0 to 1: the part of the members' requests that carries the shared texts."""
        total = float(self.population.n_requests[self.members].sum())
        return float(self.templated_requests.sum()) / total if total else 0.0

    @property
    def exclusiveness(self) -> Float64:
        """0 to 1, for each of `rows`: how many of the accounts that use its text are members."""
        layer = self.population.layer(self.layer)
        if layer is None or len(self.rows) == 0:
            return np.zeros(0)
        text = layer.object[self.rows]
        everywhere = self.population.once.of("users", np.bincount, layer.object)
        return np.asarray(np.bincount(text)[text] / everywhere[text])

    @property
    def own_reach(self) -> float:
        """0 to 1: the members who use a shared text that hardly anybody else does."""
        return len(np.unique(self.account[self.exclusiveness >= OWN])) / len(self.members)

    @property
    def passed_on(self) -> tuple[float, float]:
        """Refused requests of members that another member sent next, and all refused ones. Costs as much as
        the members' refusals are many."""
        known = self.population.fail_overs
        first = np.searchsorted(known.account, self.members, "left")
        n = np.searchsorted(known.account, self.members, "right") - first
        rows = np.repeat(first - np.cumsum(n) + n, n) + np.arange(n.sum())
        inside = np.isin(known.heir[rows], self.members)
        n_requests = known.n_requests[rows]
        return float(n_requests[inside].sum()), float(n_requests.sum())

    @property
    def handed_over(self) -> tuple[float, float, float]:
        """Newcomers, those of them that followed, and chance (HandOvers): of the group's templates that of
        most newcomers; zeros without any."""
        known = self.population.hand_overs
        if self.layer != "template" or len(known.n_begun) == 0 or len(self.rows) == 0:
            return 0.0, 0.0, 0.0
        layer = self.population.layer("template")
        assert layer is not None
        texts = np.unique(layer.object[self.rows])
        # No more newcomers than the group has members: others use the text as well, and not for its work.
        texts = texts[known.n_begun[texts] <= len(self.members)]
        if len(texts) == 0:
            return 0.0, 0.0, 0.0
        most = texts[int(np.argmax(known.n_begun[texts]))]
        return float(known.n_begun[most]), float(known.n_followed[most]), float(known.chance[most])


ENOUGH_TEMPLATED = 0.2
"""Share of requests from which user templates are what the group shares; below it, its system prompts may
be."""

OWN = 0.5
"""Share of a text's users in a group from which the text is the group's own: most of them."""

MOST_MEMBERS = 0.5
"""Share of the members by whose use a text is the group's."""


def group_of(candidate: Candidate, population: Population, objects: SharedObjects) -> Group:
    """What the evidence needs of one candidate: with the kind of text that its members use most of them, and
    hardly anybody else, where they make too few requests from templates to tell by their number."""

    def sharing(kind: str, all_uses: Uses) -> Group:
        rows = account = np.empty(0, dtype=np.int64)
        for position, layer in enumerate(population.layers):
            if layer.kind == kind:
                first, last = objects.first_object[position], objects.first_object[position + 1]
                core = candidate.core[(candidate.core >= first) & (candidate.core < last)] - first
                rows = population.rows_of(layer, candidate.members)
                rows = rows[np.isin(layer.object[rows], core)]
                account = layer.account[rows]
        uses = all_uses.at(rows)
        return Group(population, candidate.members, kind, rows, account, uses, by_habits=candidate.by_habits)

    templates = sharing("template", population.templates)
    if templates.templated_share >= ENOUGH_TEMPLATED:
        return templates
    systems = sharing("system_prompt", population.systems)
    for shared in sorted((templates, systems), key=lambda one: -one.own_reach):
        if shared.own_reach >= MOST_MEMBERS:
            return shared
    return systems if systems.templated_share > templates.templated_share else templates
