"""How busy a day is: working days, weekends, public holidays, and curves over a day's hours.

Here: shares per account and per local hour. Not here: arrival times (rhythm), who does what (the kinds).
"""

from datetime import timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.group import World
from pipelines.simulate.population import Crowd, Floats
from pipelines.simulate.shapes import daily_curves, mean_curve
from pipelines.simulate.texts.grammar import Rng

Like = Literal["people", "office", "machine"]

_HOLIDAY = 1 / 28
"""Chance that a country rests on a working day: about twelve public holidays a year."""
_FRIDAY_RESTS = ("EG",)
"""Countries that rest on Friday and Saturday."""


def bustle(world: World, crowd: Crowd, number: int, weekend: float | Floats) -> Floats:
    """How busy a night is for each account: 1 on a working day of its country, `weekend` on a day of rest.

    Parameters
    ----------
    weekend : one for all, or float64, shape (n_accounts,)

    Returns
    -------
    float64, shape (n_accounts,)
    """
    weekday = (world.first_day + timedelta(days=number)).weekday()
    countries = load_catalog().countries
    rests = np.array([weekday in ((4, 5) if c["code"] in _FRIDAY_RESTS else (5, 6)) for c in countries])
    # The stream knows the night alone: a holiday is the same day for everybody in a country.
    rests |= world.rng("holidays", number).random(len(countries)) < _HOLIDAY
    return np.asarray(np.where(rests[crowd.country], weekend, 1.0))


def own_days(curve: Floats, n: int, rng: Rng, like: Like = "people") -> Floats:
    """A day of its own for each account: the kind's curve, departed from as real clients depart from theirs.

    Parameters
    ----------
    curve : float64, shape (24,); weights of the local hours
    like : whose departures from the common day are taken (shapes.daily_curves)

    Returns
    -------
    float64, shape (n, 24)
    """
    return np.asarray(curve * daily_curves(n, rng, like) / mean_curve(like))


def hours_around(peak_h: float, width_h: float, floor: float = 0.02) -> npt.NDArray[np.float64]:
    """Weights of the 24 local hours: a bell around a peak, over midnight if need be, on a floor."""
    away = np.abs(np.arange(24) + 0.5 - peak_h)
    away = np.minimum(away, 24 - away)
    return np.asarray(np.exp(-0.5 * (away / width_h) ** 2) + floor)
