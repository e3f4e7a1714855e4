"""How far a share is known that was seen in so many cases.

Here: its bounds, of one share or of many. Not here: what shares say (evidence, models.lone).
"""

from typing import Any, overload

import numpy as np

from detector.campaigns.population import Float64

SIGMAS = 2.0
"""Standard errors of a bound: nine shares in ten lie between both, and then some."""


@overload
def upper_share(share: float, n: float) -> float: ...
@overload
def upper_share(share: Float64, n: Float64) -> Float64: ...
def upper_share(share: Any, n: Any) -> Any:
    """The most a share may be that was seen in n cases: a number, or float64 element by element; 0 to 1, NaN
    where either is unknown. Fewer cases than one count as one.

    Source: Wilson, JASA 22 (1927) 209.
    """
    return 1.0 - lower_share(1.0 - share, n)


@overload
def lower_share(share: float, n: float) -> float: ...
@overload
def lower_share(share: Float64, n: Float64) -> Float64: ...
def lower_share(share: Any, n: Any) -> Any:
    """The least a share may be that was seen in n cases; otherwise as `upper_share`."""
    n = np.maximum(n, 1.0)
    middle = share + SIGMAS**2 / (2 * n)
    spread = np.maximum(share * (1 - share), 0.0) / n + SIGMAS**2 / (4 * n**2)
    bound = np.clip((middle - SIGMAS * np.sqrt(spread)) / (1 + SIGMAS**2 / n), 0.0, 1.0)
    return bound if np.ndim(bound) else float(bound)
