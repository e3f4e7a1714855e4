"""How evenly requests are dealt to accounts.

Here: the dispersion of requests per account against counts that are random, and against those of people.
Not here: what it says (verdict), pace and hours (features.timing).
"""

import numpy as np

from detector.text.queues.uses import Float64, Measures, Uses, ratio, sums


def measure_evenness(uses: Uses, n_families: int) -> Measures:
    """Requests per account against counts that are never 0: an account that sent nothing is not seen."""
    family = uses.account_family
    sent = uses.sent
    n = sums(family, n_families)
    mean = ratio(sums(family, n_families, sent), n)
    squares = sums(family, n_families, (sent - mean[family]) ** 2)
    known = (n >= 2) & (mean > 1)
    n, mean = np.where(known, n, np.nan), np.where(known, mean, np.nan)
    variance = squares / (n - 1)
    rate = _rate(mean)
    # Factorial moments of a zero-truncated Poisson are rate^k / P(not 0), rate^(k-1) * mean.
    poisson = _moments(mean, rate * mean, rate**2 * mean, rate**3 * mean)
    slope = 1 + rate - mean + mean * (_rate(mean * 1.001) - rate) / (mean * 0.001) - mean
    # A count from 1 that goes on with probability g: mean 1 / (1 - g); factorial moments k! g^(k-1) mean^k.
    more = 1 - 1 / mean
    geometric = _moments(mean, 2 * more * mean**2, 6 * more**2 * mean**3, 24 * more**3 * mean**4)
    return {
        "evenness": variance / poisson[0],
        "evenness_z": _dispersion_z(variance, n, poisson, slope),
        "geometric_z": _dispersion_z(variance, n, geometric, 2 * mean - 1),
    }


def _rate(mean: Float64) -> Float64:
    """The rate of a Poisson count whose mean, given that it is not 0, is `mean`: Newton's way from above."""
    rate = mean.copy()
    with np.errstate(all="ignore"):
        for _ in range(40):
            rest = -np.expm1(-rate)
            step = (rate / rest - mean) / ((rest - rate * np.exp(-rate)) / rest**2)
            rate = np.maximum(rate - step, rate / 10)
    return rate


def _moments(
    mean: Float64, second: Float64, third: Float64, fourth: Float64
) -> tuple[Float64, Float64, Float64]:
    """Variance, third and fourth central moments from the mean and the factorial moments."""
    raw2 = second + mean
    raw3 = third + 3 * second + mean
    raw4 = fourth + 6 * third + 7 * second + mean
    return (
        raw2 - mean**2,
        raw3 - 3 * mean * raw2 + 2 * mean**3,
        raw4 - 4 * mean * raw3 + 6 * mean**2 * raw2 - 3 * mean**4,
    )


def _dispersion_z(
    variance: Float64, n: Float64, moments: tuple[Float64, Float64, Float64], slope: Float64
) -> Float64:
    """Standard score of a sample variance when the expected one is read off the sample's own mean.

    slope : how the expected variance grows with the mean: what the mean's error explains of the variance's is
    no evidence of anything.
    """
    second, third, fourth = moments
    error = (fourth - second**2 - 2 * slope * third + slope**2 * second) / n
    with np.errstate(all="ignore"):
        return (variance - second) / np.sqrt(np.where(error > 1e-12, error, np.nan))
