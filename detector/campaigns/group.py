"""A candidate and what the evidence looks at: its members, and their use of the texts that hold it together.

Here: from a candidate to the arrays of one group. Not here: what they are evidence of (evidence).
"""

from dataclasses import dataclass

import numpy as np

from detector.campaigns.communities import Candidate
from detector.campaigns.population import Bool, Float64, Int64, Population, SharedObjects, Uses
from detector.campaigns.turns import Turns

LEAST_KNOWN = 0.5
"""Share of members of whom something must be known before it is said of the group."""


@dataclass(frozen=True, slots=True)
class Slots:
    """What fills the slots of the texts a group shares, measured on some of its members' requests.

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

    members : int64, positions of accounts; others : bool, shape (n_accounts,), all but the members
    layer : the kind of text the group shares, `template` or `system_prompt`
    rows : int64, rows of that layer that belong to members and to the texts typical of the group
    account : int64, the position of each of those rows' account
    uses : what those rows carry
    slots : what fills the slots of the group's templates; None when that was not measured
    turns : how the members' requests follow one another; None when that was not measured
    """

    population: Population
    members: Int64
    others: Bool
    layer: str
    rows: Int64
    account: Int64
    uses: Uses
    slots: Slots | None = None
    turns: Turns | None = None

    @property
    def has_content(self) -> bool:
        """Whether the log carried the prompts of most members."""
        return bool(np.isfinite(self.population.training_share[self.members]).mean() >= LEAST_KNOWN)

    @property
    def templated_requests(self) -> Float64:
        """Requests of each member tonight that carry the shared texts; one that carries two counts once, as
        far as the account's number of requests tells."""
        n = len(self.population)
        carried = np.bincount(self.account, weights=self.uses.n_requests, minlength=n)
        return np.asarray(np.minimum(carried, self.population.n_requests)[self.members])

    @property
    def earlier_requests(self) -> Float64:
        """Requests of each member from the shared texts on earlier nights: those of the text it used most."""
        earlier = np.zeros(len(self.population))
        np.maximum.at(earlier, self.account, self.uses.n_earlier_requests)
        return earlier[self.members]

    @property
    def templated_share(self) -> float:
        """0 to 1: the part of the members' requests that carries the shared texts."""
        total = float(self.population.n_requests[self.members].sum())
        return float(self.templated_requests.sum()) / total if total else 0.0


ENOUGH_TEMPLATED = 0.2
"""Share of requests from which user templates are what the group shares; below it, its system prompts may
be, if they carry more."""


def group_of(candidate: Candidate, population: Population, objects: SharedObjects) -> Group:
    """What the evidence needs of one candidate."""
    others = np.ones(len(population), dtype=np.bool_)
    others[candidate.members] = False

    def sharing(kind: str, all_uses: Uses) -> Group:
        rows = account = np.empty(0, dtype=np.int64)
        for position, layer in enumerate(population.layers):
            if layer.kind == kind:
                first, last = objects.first_object[position], objects.first_object[position + 1]
                core = candidate.core[(candidate.core >= first) & (candidate.core < last)] - first
                rows = np.flatnonzero(np.isin(layer.object, core) & ~others[layer.account])
                account = layer.account[rows]
        uses = Uses(
            all_uses.n_requests[rows],
            all_uses.n_earlier_requests[rows],
            all_uses.n_items[rows],
            all_uses.n_shared_items[rows],
            all_uses.n_training[rows],
        )
        return Group(population, candidate.members, others, kind, rows, account, uses)

    templates = sharing("template", population.templates)
    if templates.templated_share >= ENOUGH_TEMPLATED:
        return templates
    systems = sharing("system_prompt", population.systems)
    return systems if systems.templated_share > templates.templated_share else templates
