"""Parts of a group: members that use texts which the others do not.

Here: from a group's texts to sets of accounts, which may overlap. Not here: whether parts are one operator's
teams or several operators (schedule).
"""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from detector.campaigns.population import Int64, Population, SharedObjects

MOST_TEXTS = 128
"""Texts of a group that are compared, those of most members: all pairs of so many are few."""

SAME_USERS = 0.6
"""Two texts belong together when this share of the accounts that use either use both."""

HALF_OF_THEM = 0.5
"""An account belongs to a part when it uses half of the texts that belong together."""

NOT_THE_WHOLE = 0.9
"""A part of more than this share of the group is the group."""


def parts_of(
    members: Int64, population: Population, objects: SharedObjects, least_members: int
) -> list[Int64]:
    """Members that use texts which the others do not, a set for each bundle of such texts; sets may overlap.

    None when all members use the same ones.
    """
    kinds = [layer.kind for layer in population.layers]
    is_text = np.isin(np.array(kinds), ("template", "system_prompt"))[objects.layer_of]
    used = csr_matrix(objects.shares[members])
    texts, n_users = np.unique(used.indices, return_counts=True)
    often = is_text[texts] & (n_users >= least_members)
    texts, n_users = texts[often], n_users[often]
    most = np.argsort(-n_users, kind="stable")[:MOST_TEXTS]
    texts, n_users = texts[most], n_users[most].astype(np.float64)
    if len(texts) < 2:
        return []
    uses = (used[:, texts] > 0).astype(np.float64)
    both = (uses.T @ uses).toarray()
    together = both / (n_users[:, None] + n_users[None, :] - both) >= SAME_USERS
    n_bundles, bundle_of = connected_components(csr_matrix(together), directed=False)
    parts: list[Int64] = []
    for bundle in range(n_bundles):
        held = np.asarray(uses[:, bundle_of == bundle].mean(axis=1)).ravel()
        part = members[held >= HALF_OF_THEM]
        if least_members <= len(part) <= NOT_THE_WHOLE * len(members) and not any(
            _same(part, other) for other in parts
        ):
            parts.append(part)
    return parts


def _same(one: Int64, other: Int64) -> bool:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common >= 0.8 * (len(one) + len(other) - common)
