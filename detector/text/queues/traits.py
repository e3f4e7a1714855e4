"""What fills the slots of requests, as numbers to compare.

Here: the traits of each request: sizes, script, capability, and its slot shingles projected at random.
Not here: comparing them (likeness), the loop that projects (kernels.queues).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detector.kernels import queues as kernels
from detector.text.queues.uses import Float32, Int32, Int64, UInt32

TRAIT_BLOCKS = ("length", "script", "capability", "words")
"""What slots are compared in. Every block that varies at all has an equal say."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of each request.

    values : float32, shape (n, n_traits), finite
    block_starts : int64, shape (n_blocks + 1,); block b owns columns block_starts[b]:block_starts[b + 1]
    """

    values: Float32
    block_starts: Int64


def project_slots(
    shingles: UInt32, starts: Int64, family: Int32, family_shingles: UInt32, family_starts: Int64
) -> tuple[Float32, Int32]:
    """What fills the slots, as a few numbers: the shingles that are not the family's, projected at random.

    Parameters
    ----------
    shingles : uint32, flat; row i owns shingles[starts[i]:starts[i + 1]]
    family : int32, shape (n,), 0 and up: whose shingles are left out
    family_shingles : uint32, flat; family f owns family_shingles[family_starts[f]:family_starts[f + 1]],
        ascending

    Returns
    -------
    float32, shape (n, 16): sum of a random signed unit vector for each shingle, so that inner products
    estimate
        the number of common shingles; and int32, shape (n,): how many shingles were added up.

    Raises
    ------
    ValueError : the arrays do not fit together.
    """
    n = len(family)
    if len(starts) != n + 1 or (n and starts[-1] > len(shingles)):
        raise ValueError("starts must have one entry more than rows, and end within the shingles")
    if n and (family.min() < 0 or family.max() >= len(family_starts) - 1):
        raise ValueError("every row needs a family that has shingles")
    out = np.zeros((n, kernels.PROJECTED), np.float32)
    n_slot = np.zeros(n, np.int32)
    kernels.project_slots(shingles, starts, family, family_shingles, family_starts, out, n_slot)
    return out, n_slot


def slot_traits(
    n_bytes: npt.NDArray[np.integer],
    n_tokens: npt.NDArray[np.integer],
    script: npt.NDArray[np.integer],
    capability: npt.NDArray[np.integer],
    projection: Float32,
    n_slot: npt.NDArray[np.integer],
) -> Traits:
    """The traits of requests in TRAIT_BLOCKS: logarithms of sizes, codes one-hot, the direction of words.

    Parameters: integers of shape (n,), codes 0 and up; projection as `project_slots` gives it. A text without
    slot shingles has no direction: zeros.
    """
    n = len(n_bytes)
    # Codes that the night does not use would be columns of zeros.
    scripts, of_script = np.unique(script, return_inverse=True)
    capabilities, of_capability = np.unique(capability, return_inverse=True)
    widths = [3, len(scripts), len(capabilities), projection.shape[1]]
    block_starts = np.cumsum([0, *widths], dtype=np.int64)
    values = np.zeros((n, block_starts[-1]), np.float32)
    for column, sizes in enumerate((n_bytes, n_tokens, n_slot)):
        values[:, column] = np.log1p(sizes)
    rows = np.arange(n)
    values[rows, block_starts[1] + of_script] = 1
    values[rows, block_starts[2] + of_capability] = 1
    norm = np.sqrt((projection.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    values[:, block_starts[3] :] = projection / np.maximum(norm, 1)
    return Traits(values, block_starts)
