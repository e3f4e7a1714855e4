"""Words as letter groups: rows of unit length whose products are cosines.

Here: letter groups weighed by how few texts have them, and unweighed as a mark of the language.
Not here: what a cosine is worth (wording).
"""

import numpy as np
from scipy.sparse import csr_matrix

_GROUPS = 1 << 20
"""Columns that letter groups are hashed to."""

_COMMON_SHARE = 1 / 3
"""Letters of a third of all texts weigh next to nothing and are most of the multiplying."""

_LANGUAGE_CHARS = 2_000
"""The beginning of a text tells its language."""


def rare_letters(words: list[str]) -> csr_matrix:
    """Rows of unit length: letter triples to quintuples within words, by how few texts have each."""
    from sklearn.feature_extraction.text import TfidfTransformer  # noqa: PLC0415

    rows = TfidfTransformer(sublinear_tf=True).fit_transform(_counted(words, (3, 5)))
    rows = rows.tocsr().astype(np.float32)
    n_holders = np.bincount(rows.indices, minlength=_GROUPS)
    rows.data[(n_holders > max(len(words) * _COMMON_SHARE, 2))[rows.indices]] = 0.0
    rows.data[(n_holders < 2)[rows.indices]] = 0.0
    rows.eliminate_zeros()
    return rows


def all_letters(words: list[str]) -> csr_matrix:
    """Rows of unit length: letter triples, none weighed down for being common."""
    from sklearn.preprocessing import normalize  # noqa: PLC0415

    return normalize(_counted([text[:_LANGUAGE_CHARS] for text in words], (3, 3)).sqrt()).tocsr()


def _counted(words: list[str], sizes: tuple[int, int]) -> csr_matrix:
    """How often each text has each letter group of these sizes."""
    from sklearn.feature_extraction.text import HashingVectorizer  # noqa: PLC0415

    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=sizes,
        n_features=_GROUPS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    ).fit_transform(words)
