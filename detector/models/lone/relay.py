"""Relays: accounts that carry many products, with one text of their own added to what those send.

Here: measuring the added text, and the rule. Not here: the evidence against a lone extractor (evidence).

An honest reseller passes on what its customers send. Their system prompts have nothing in common, and what
stands around their messages belongs to one product each. A text that stands under many products at once was
put there by whoever holds the account. What it is for, the logs cannot say: a platform for assistants adds
its house rules, too, and may have its assistants think before they answer. So even where the text makes
requests ask for training material, the answer is `watch`, and a question to the reseller.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from detector.campaigns.shares import lower_share
from detector.models.base import Float64
from detector.models.lone.findings import Columns, LoneFinding, Mask, Reason, reason
from detector.text import TELLING_SHINGLES
from detector.text.repeated import Int64, Keys, OwnedTexts, owners_of, shingles_of

OWN_SHARE, LEAST_TEXTS = 0.1, 5
"""A piece is an account's own when a tenth of its different prompts hold it, five at least: an extractor
has a handful of templates, and people's turns of phrase are rarer."""

LEAST_PIECES = 3
"""Own shingles that make a prompt one from a template: two are six words, a turn of phrase."""

ADDED_SHARE, LEAST_PRODUCTS = 0.2, 10
"""A text is added by the account when a fifth of its products have it: one customer of ten may run several
products, hardly one of five with ten and more. Fewer than ten products are one house's."""

PART_OF_PROMPTS = 0.5
"""Most of the prompts must surely have it: an added text stands on all but what a relay spares."""

PUBLIC_ORGANISATIONS = 50
"""A text that so many organisations send is some framework's, added by no account; and a pool of so many
accounts is found as a campaign. It may stand under a fifth of the products all the same, beside what the
account adds: customers have favourites."""

LEAST_OTHERS = 5
"""Accounts without an added text that show what is usual: of fewer the highest is no limit."""


@dataclass(frozen=True)
class AddedText:
    """Of n accounts, by what a sample of their different prompts shows; float64, shape (n,), NaN unknown.

    n_sampled : prompts looked at
    own_text_share : 0 to 1, prompts made from texts that the account sends again and again
    n_products : products with the added text; 0 without one
    added_text_share : 0 to 1, prompts with it
    added_text_training : 0 to 1, mean probability that these ask for training material
    training_error : standard error of that mean
    sampled_training : the mean over all its sampled prompts
    in_prompts, in_systems : keys of the added texts, where they stand in the messages and in system prompts
    """

    n_sampled: Float64
    own_text_share: Float64
    n_products: Float64
    added_text_share: Float64
    added_text_training: Float64
    training_error: Float64
    sampled_training: Float64
    in_prompts: Keys
    in_systems: Keys

    @property
    def columns(self) -> dict[str, Float64]:
        """All but the texts, by name."""
        return {name: getattr(self, name) for name in COLUMNS}


COLUMNS = (
    "n_sampled",
    "own_text_share",
    "n_products",
    "added_text_share",
    "added_text_training",
    "training_error",
    "sampled_training",
)
"""What is compared and kept of every busy account."""


@dataclass(frozen=True)
class Public:
    """The night's public texts: parts of prompts, and of system prompts."""

    prompts: "PublicTexts"
    systems: "PublicTexts"


def added_text(
    prompts: OwnedTexts,
    systems: OwnedTexts,
    system: Int64,
    training: Float64,
    public: Public,
    n_accounts: int,
) -> AddedText:
    """What accounts send again and again, and what they add to the requests of many products, public texts
    aside.

    Parameters
    ----------
    prompts : a sample of each account's different prompts; owners 0 to n_accounts - 1
    systems : their different system prompts, one entry for each account and prompt
    system : int64, shape (n_prompts,); the system prompt of each, a position in `systems`, -1 for none
    training : float64, shape (n_prompts,), 0 to 1; probability that it asks for training material
    public : texts that many organisations use, which count as nobody's own
    """
    owner = prompts.owner
    each = np.arange(len(owner), dtype=np.int64)
    own = prompts.repeated(each, least_share=OWN_SHARE, least_units=LEAST_TEXTS)
    is_own = prompts.n_held(own) >= LEAST_PIECES
    in_prompts = public.prompts.without(
        prompts.repeated(system, least_share=ADDED_SHARE, least_units=LEAST_PRODUCTS)
    )
    of_system = np.arange(len(systems.owner), dtype=np.int64)
    in_systems = public.systems.without(
        systems.repeated(of_system, least_share=ADDED_SHARE, least_units=LEAST_PRODUCTS)
    )
    held = systems.n_held(in_systems)
    has_added = prompts.n_held(in_prompts) >= TELLING_SHINGLES
    if len(held):
        has_added |= (system >= 0) & (held >= TELLING_SHINGLES)[np.maximum(system, 0)]
    n = np.bincount(owner, minlength=n_accounts).astype(np.float64)
    n_added = np.bincount(owner[has_added], minlength=n_accounts)
    mean = _mean(training[has_added], owner[has_added], n_accounts)
    square = _mean(training[has_added] ** 2, owner[has_added], n_accounts)
    return AddedText(
        n_sampled=n,
        own_text_share=_mean(is_own, owner, n_accounts),
        n_products=_n_products(systems, held, system[has_added], n_accounts),
        added_text_share=_mean(has_added, owner, n_accounts),
        added_text_training=mean,
        training_error=np.sqrt(np.maximum(square - mean**2, 0.0) / np.maximum(n_added, 1)),
        sampled_training=_mean(training, owner, n_accounts),
        in_prompts=in_prompts,
        in_systems=in_systems,
    )


def _mean(values: npt.NDArray[np.generic], owner: Int64, n_accounts: int) -> Float64:
    total = np.bincount(owner, weights=values.astype(np.float64), minlength=n_accounts)
    count = np.bincount(owner, minlength=n_accounts)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _n_products(systems: OwnedTexts, held: Int64, used: Int64, n_accounts: int) -> Float64:
    """System prompts that say something of their own beside what is added, under prompts that have it."""
    says = systems.n_shingles - held >= LEAST_PIECES
    under = np.unique(used[used >= 0])
    return np.bincount(systems.owner[under[says[under]]], minlength=n_accounts).astype(np.float64)


def adds_text(columns: Columns) -> Mask:
    """Who adds one text to the requests of many products, whatever the text is for: bool, shape (n,).

    Parameters
    ----------
    columns : float64 arrays of shape (n,): the features of each account, and COLUMNS; NaN unknown

    All must hold: ten products or more with the text; surely on most prompts; the items are new. Such an
    account passes on what others write.
    """
    return np.asarray(
        (columns["n_products"] >= LEAST_PRODUCTS)
        & (lower_share(columns["added_text_share"], columns["n_sampled"]) >= PART_OF_PROMPTS)
        & ~(columns["repeat_share"] > 0.5)
    )


def relays(columns: Columns, usual_training: Float64) -> list[LoneFinding]:
    """Accounts that add one text to the requests of many products, which makes these ask for training
    material.

    Parameters
    ----------
    columns : as for `adds_text`
    usual_training : float64: mean probability over the prompts of each account with many system prompts and
        no added text, tonight's and earlier nights'

    The account adds a text (`adds_text`), and requests with it ask for training material surely more often
    than 95 % of such accounts. In order of rows; always `watch`.
    """
    if len(usual_training) < LEAST_OTHERS:
        return []
    usual = np.sort(usual_training)
    most_usual = float(np.quantile(usual, 0.95, method="inverted_cdf"))
    asks_for_it = columns["added_text_training"] - 2 * columns["training_error"] > most_usual
    found = adds_text(columns) & asks_for_it
    others = {name: _known(columns[name][~found]) for name in SHOWN} | {"added_text_training": usual}
    return [_relay(row, columns, others) for row in np.flatnonzero(found).tolist()]


SHOWN = (
    "n_products",
    "added_text_share",
    "added_text_training",
    "n_scripts",
    "n_end_users",
    "n_systems",
    "n_requests",
)


def _known(values: Float64) -> Float64:
    return np.sort(values[np.isfinite(values)])


def _relay(row: int, columns: Columns, others: Columns) -> LoneFinding:
    told = [
        reason(name, float(columns[name][row]), others[name])
        for name in SHOWN
        if np.isfinite(columns[name][row])
    ]
    return LoneFinding(row, "relay", "low", "watch", (*told, ASK_THE_RESELLER))


ASK_THE_RESELLER = Reason(
    "ask_the_reseller",
    "only the holder of the account can say whose requests these are, who wrote the added text and what for, "
    "whether those people know of it, and who keeps the answers",
    None,
    None,
)


@dataclass(frozen=True)
class PublicTexts:
    """Texts that many organisations use, to recognise one by half of it.

    shingles : uint32, ascending
    text : int64, shape of `shingles`; which text holds it
    n_shingles : int64, shape (n_texts,)
    """

    shingles: npt.NDArray[np.uint32]
    text: Int64
    n_shingles: Int64

    @classmethod
    def of(cls, shingles: npt.NDArray[np.uint32], starts: Int64) -> Self:
        """From flat lists without repeats; text t owns shingles[starts[t]:starts[t + 1]]."""
        order = np.argsort(shingles, kind="stable")
        n_shingles = np.diff(starts)
        text = np.repeat(np.arange(len(n_shingles), dtype=np.int64), n_shingles)
        return cls(shingles[order], text[order], n_shingles)

    def without(self, keys: Keys) -> Keys:
        """The keys, ascending, less what belongs to a public text: one of which an owner's keys hold half, or
        which holds half of them. What stands beside such a text stays.

        Takes the time of the shingles in common, however many texts there are.
        """
        owner, shingle = owners_of(keys), shingles_of(keys)
        first, after = (np.searchsorted(self.shingles, shingle, side) for side in ("left", "right"))
        row = np.repeat(np.arange(len(keys)), after - first)
        at = np.arange(len(row)) - np.repeat(np.cumsum(after - first) - after, after - first)
        pair = owner[row] * max(len(self.n_shingles), 1) + self.text[at]
        pairs, which, n_common = np.unique(pair, return_inverse=True, return_counts=True)
        of, text = np.divmod(pairs, max(len(self.n_shingles), 1))
        is_held = 2 * n_common >= np.minimum(self.n_shingles[text], np.bincount(owner)[of])
        return np.delete(keys, row[is_held[which]])
