"""What real traffic looks like: draws of token counts, rates, daily curves and bursts, fitted to traces.

Here: draws from `data/shapes.json`, which tools/make_traffic_shapes.py fits to published traces of real
services. Every function says which trace stands behind it; docs/reference/traffic-shapes.md says how well
the fit holds and what no trace shows. Not here: arrival times (rhythm), who sends what (kinds, campaigns).

The traces: *Azure* is an hour of two services of 2023 (chat and code completion), request by request;
*ServeGen* is two weeks of 152 clients of two general models and a day of 73 clients of a reasoning model.
A ServeGen client is a customer of an API, mostly a firm or an application, not one person.

All draws are numpy arrays made from the generator given: the same generator gives the same arrays.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from pipelines.simulate.texts.grammar import Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Service = Literal["conversation", "code", "api", "reasoning"]
"""conversation, code: Azure. api: ServeGen's general models. reasoning: ServeGen's reasoning model, whose
outputs count its reasoning."""

Like = Literal["client", "conversation", "code"]

Kind = Literal["people", "office", "machine", "mixed"]
"""people: awake at home as well; office: working hours and no evening; machine: by day and night; mixed: as
often as each is among the clients of the trace."""

_CURVE_KINDS = ("people", "office", "machine")


# -- tokens of a request ---------------------------------------------------------------------------


def tokens(service: Service, n: int, rng: Rng) -> tuple[Ints, Ints]:
    """Input and output tokens of requests of a service, with the dependence between the two.

    Returns
    -------
    int64, shape (n,), at least 1 each: input tokens, output tokens

    Source: Azure (conversation, code), ServeGen (api, reasoning).
    """
    law = _shapes().tokens[service]
    level = rng.random(n)
    inputs = _at(law.inputs[None, :], np.zeros(n, np.int64), level)
    outputs = _at(law.outputs, (level * len(law.outputs)).astype(np.int64), rng.random(n))
    return _counted(inputs), _counted(outputs)


def output_tokens_given_input(service: Service, input_tokens: Ints, rng: Rng) -> Ints:
    """Output tokens of requests whose input is known.

    Parameters
    ----------
    input_tokens : int64, shape (n,); beyond the service's range its ends count

    Returns
    -------
    int64, shape (n,), at least 1. Source: as for `tokens`.
    """
    law = _shapes().tokens[service]
    level = np.interp(input_tokens, law.inputs, _shapes().levels)
    row = np.minimum((level * len(law.outputs)).astype(np.int64), len(law.outputs) - 1)
    return _counted(_at(law.outputs, row, rng.random(len(input_tokens))))


def answer_tokens(
    median_tokens: Floats | float, n: int, rng: Rng, width: Floats | None = None, like: Like = "client"
) -> Ints:
    """Output tokens of `n` requests around a given median, spread as real answers are.

    Parameters
    ----------
    median_tokens : one for all, or float64, shape (n,); above 0
    width : for "client" alone: float64, shape (n,), 0 (the most even clients, whose answers hardly differ) up
        to 1 (the most uneven, over two orders). An account keeps its own: draw `rng.random(n_accounts)` once
        and index it by the account of each request. None draws anew for every request.
    like : whose spread. "client": one customer of an API with one purpose, where short answers (a label, a
        route) spread otherwise than essays. "conversation": people who chat, half with answers of a
        sentence or two, a third with three times that. "code": mostly short steps, now and then twenty
        times that.

    Returns
    -------
    int64, shape (n,), at least 1.

    Source: ServeGen, all three services, every client counted once (client); Azure (conversation, code).
    """
    median = np.broadcast_to(np.asarray(median_tokens, np.float64), (n,))
    if like != "client":
        law = _shapes().tokens[like]
        drawn = _at(law.outputs, rng.integers(0, len(law.outputs), n), rng.random(n))
        return _counted(median * drawn / law.median_output)
    table, edges = _shapes().answers, _shapes().median_edges
    n_buckets, n_classes, n_levels = table.shape
    rank = rng.random(n) if width is None else width
    row = np.minimum((rank * n_classes).astype(np.int64), n_classes - 1)
    row += np.searchsorted(edges, median, side="right") * n_classes
    ratio = _at(table.reshape(n_buckets * n_classes, n_levels), row, rng.random(n))
    return _counted(np.exp(ratio) * (median + 0.5) - 0.5)


# -- how clients differ ----------------------------------------------------------------------------


def client_medians(service: Literal["api", "reasoning"], n: int, rng: Rng) -> tuple[Floats, Floats]:
    """Median input and output tokens of clients of a service.

    Returns
    -------
    float64, shape (n,), tokens, at least 1: input, output; their rank correlation is the trace's.

    Source: ServeGen, quantiles over clients (112 of the general models, 73 of the reasoning model); draws
    stay within the range of the trace.
    """
    law = _shapes().medians[service]
    of_input = rng.standard_normal(n)
    shared = 2.0 * np.sin(np.pi / 6.0 * law.rank_correlation)
    of_output = shared * of_input + np.sqrt(1.0 - shared**2) * rng.standard_normal(n)
    return (
        np.exp(_quantile(law.log_input, ndtr(of_input))),
        np.exp(_quantile(law.log_output, ndtr(of_output))),
    )


def client_output_scale(n: int, rng: Rng, service: Literal["api", "reasoning"] = "reasoning") -> Floats:
    """How much longer or shorter than its kind's the median answer of an account is.

    Parameters
    ----------
    service : "reasoning", whose clients all ask one model for worked answers, is the spread within one
        purpose (two thirds lie within a factor of two); "api" is that over all purposes, from a label to
        an essay (two thirds within a factor of seven).

    Returns
    -------
    float64, shape (n,), median 1, above 0. Source: ServeGen, quantiles over clients.
    """
    law = _shapes().medians[service]
    middle = _quantile(law.log_output, np.array([0.5]))
    return np.exp(_quantile(law.log_output, rng.random(n)) - middle)


def client_rates(n: int, rng: Rng, spread: float = 1.0) -> Floats:
    """How much more or less than the mean of its kind an account sends.

    Parameters
    ----------
    spread : power to which the ratios between clients are taken. 1 is the trace: half of the clients send
        under an eighth of the mean, the busiest fifty times the mean. Under 1 the tail is lighter; no
        trace shows single people, for whom 0.5 is our assumption (the busiest of 1,000 sends
        twelve times the mean).

    Returns
    -------
    float64, shape (n,), expectation 1, above 0. Source: ServeGen, mean rates of 224 clients.
    """
    logs = spread * _shapes().log_rate
    return np.exp(_quantile(logs, rng.random(n))) / _mean_of_exp(logs)


# -- days, weeks and bursts ------------------------------------------------------------------------


def mean_curve(kind: Literal["people", "office", "machine"]) -> Floats:
    """The average day of a kind of client: float64, shape (24,), mean 1, by local hour. Source: ServeGen."""
    return _shapes().curves[kind].average.copy()


def daily_curves(n: int, rng: Rng, kind: Kind = "people", bins: int = 24) -> Floats:
    """A day of its own for each account: how its traffic spreads over the local hours.

    Parameters
    ----------
    bins : of equal length in a day; 24 are the fitted hours, others are interpolated between them

    Returns
    -------
    float64, shape (n, bins), mean 1 in each row, above 0.

    Source: ServeGen, clients seen in most hours of two weeks (19 people, 20 offices, 37 machines): mean
    curve of the kind, three main ways to depart from it, and the rest as noise, all on logarithms. The
    trace's clock is taken to be local because its people sleep from one to six and eat at noon.
    """
    law = _shapes()
    kinds = _CURVE_KINDS if kind == "mixed" else (kind,)
    weights = np.array([law.curves[name].n_clients for name in kinds], np.float64)
    of_kind = rng.choice(len(kinds), n, p=weights / weights.sum())
    n_ways = law.curves[kinds[0]].log_ways.shape[0]
    scores = np.clip(rng.standard_normal((n, n_ways)), -2.5, 2.5)
    noise = rng.standard_normal((n, 24))
    logs = np.empty((n, 24))
    for number, name in enumerate(kinds):
        mine, curve = of_kind == number, law.curves[name]
        logs[mine] = curve.log_mean + scores[mine] @ curve.log_ways + curve.log_noise_sd * noise[mine]
    if bins != 24:
        logs = _resampled(logs, bins)
    curves = np.exp(logs)
    return np.asarray(curves / curves.mean(axis=1, keepdims=True))


def off_day_share(n: int, rng: Rng, kind: Kind = "people") -> Floats:
    """How much of a working day's traffic an account sends on a Saturday, Sunday or holiday.

    Returns
    -------
    float64, shape (n,), ratio, 0 up to about 2. Source: ServeGen, one service, on whose five days of rest
    the offices send four tenths of their usual, the people as much as ever.
    """
    law = _shapes()
    kinds = _CURVE_KINDS if kind == "mixed" else (kind,)
    weights = np.array([law.curves[name].n_clients for name in kinds], np.float64)
    of_kind = rng.choice(len(kinds), n, p=weights / weights.sum())
    rank = rng.random(n)
    drawn = np.array([_quantile(law.off_day[name], rank) for name in kinds])
    return drawn[of_kind, np.arange(n)]


def day_unrest(n: int, rng: Rng) -> Floats:
    """How much an account's days differ: draw once, then each night's level with `day_levels`.

    Returns
    -------
    float64, shape (n,): standard deviation of the logarithm of a day's total, 0.03 up to 1.8, half under 0.3.
    Source: ServeGen, 76 clients, working days against working days and days off against days off.
    """
    return np.exp(_quantile(_shapes().day_log_sd, rng.random(n)))


def day_levels(unrest: Floats, rng: Rng) -> Floats:
    """How busy each account is tonight: float64, shape (n,), expectation 1; multiply its usual volume.

    Nights are independent, so that each can be made alone; in the trace a busy day tends to follow another.
    """
    return np.asarray(np.exp(unrest * rng.standard_normal(len(unrest)) - unrest**2 / 2))


def burstiness(n: int, rng: Rng) -> Floats:
    """Coefficient of variation of the pauses between an account's requests, its daily curve apart.

    Returns
    -------
    float64, shape (n,), no unit: 1 is a Poisson process, under 1 a steady one; half lie under 1.2, one in
    ten above 5. Source: ServeGen, median over ten-minute windows of at least 50 requests, 178 clients.
    """
    return np.exp(_quantile(_shapes().log_cv, rng.random(n)))


def wander(n: int, rng: Rng, bins: int = 144) -> Floats:
    """How accounts' rates drift through a day on top of their daily curves; multiply the two.

    Returns
    -------
    float64, shape (n, bins), expectation 1, above 0. Source: ServeGen, 70 clients: the logarithm of a
    rate follows an AR(1); neighbouring ten minutes correlate by 0.74, the deviation differs by client.
    """
    law = _shapes()
    deviation = np.exp(_quantile(law.wander_log_sd, rng.random(n)))
    kept = law.wander_neighbours ** (144 / bins)
    state = rng.standard_normal(n)
    steps = rng.standard_normal((bins, n)) * np.sqrt(1.0 - kept**2)
    path = np.empty((bins, n))
    for number in range(bins):
        state = kept * state + steps[number] if number else state
        path[number] = state
    return np.ascontiguousarray(np.exp(deviation * path - deviation**2 / 2).T)


def turns(mean_turns: Floats | float, n: int, rng: Rng) -> Ints:
    """How many messages a sitting has: mostly few, now and then very many.

    Parameters
    ----------
    mean_turns : one for all, or float64, shape (n,); at least 1

    Returns
    -------
    int64, shape (n,), at least 1, with the wanted mean.

    Source: user turns of 581 WildChat conversations of two and more; a geometric law whose chance to stop
    is Beta(a, b), with the fitted `a`; `b` follows from the mean, which no trace of sittings shows.
    """
    a = _shapes().turns_a
    b = (np.broadcast_to(np.asarray(mean_turns, np.float64), (n,)) - 1.0) * (a - 1.0)
    stops = np.where(b > 0.0, rng.beta(a, np.maximum(b, 1e-9)), 1.0)
    return rng.geometric(np.clip(stops, 1e-6, 1.0)).astype(np.int64)


# -- the fitted numbers ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Joint:
    inputs: Floats
    """Quantiles at `levels`."""
    outputs: Floats
    """One row of quantiles per bin of the input; bins hold equally many requests."""
    median_output: float


@dataclass(frozen=True, slots=True)
class _Medians:
    log_input: Floats
    log_output: Floats
    rank_correlation: float


@dataclass(frozen=True, slots=True)
class _Curve:
    n_clients: int
    average: Floats
    log_mean: Floats
    log_ways: Floats
    log_noise_sd: float


@dataclass(frozen=True, slots=True)
class _Shapes:
    levels: Floats
    client_levels: Floats
    tokens: dict[str, _Joint]
    median_edges: Floats
    answers: Floats
    """Quantiles of the logarithm of answer over median: bucket of the median, class of width, level."""
    medians: dict[str, _Medians]
    log_rate: Floats
    curves: dict[str, _Curve]
    off_day: dict[str, Floats]
    day_log_sd: Floats
    log_cv: Floats
    wander_log_sd: Floats
    wander_neighbours: float
    turns_a: float


@cache
def _shapes() -> _Shapes:
    """Read the fitted numbers once."""
    raw: dict[str, Any] = json.loads(
        files("pipelines.simulate").joinpath("data", "shapes.json").read_text("ascii")
    )
    levels = np.array(raw["levels"])
    return _Shapes(
        levels=levels,
        client_levels=np.array(raw["client_levels"]),
        tokens={name: _joint(law, levels) for name, law in raw["tokens"].items()},
        median_edges=np.array(raw["answers"]["median_edges"]),
        answers=np.array(raw["answers"]["log_ratio"]),
        medians={
            name: _Medians(np.array(law["log_input"]), np.array(law["log_output"]), law["rank_correlation"])
            for name, law in raw["medians"].items()
        },
        log_rate=np.array(raw["rates"]["log_rate"]),
        curves={
            name: _Curve(
                law["n_clients"],
                np.array(law["average"]),
                np.array(law["log_mean"]),
                np.array(law["log_ways"]),
                law["log_noise_sd"],
            )
            for name, law in raw["curves"].items()
        },
        off_day={name: np.array(ratios) for name, ratios in raw["off_day"].items()},
        day_log_sd=np.array(raw["levels_of_days"]["log_sd"]),
        log_cv=np.array(raw["burstiness"]["log_cv"]),
        wander_log_sd=np.array(raw["wander"]["log_sd"]),
        wander_neighbours=raw["wander"]["neighbour_correlation"],
        turns_a=raw["turns"]["a"],
    )


def _joint(law: dict[str, Any], levels: Floats) -> _Joint:
    outputs = np.array(law["output"])
    even = (np.arange(1_000) + 0.5) / 1_000
    drawn = np.concatenate([np.interp(even, levels, row) for row in outputs])
    return _Joint(np.array(law["input"]), outputs, float(np.median(drawn)))


def _at(table: Floats, row: Ints, level: Floats) -> Floats:
    """Quantiles of one row each, linear between the levels of the table."""
    levels = _shapes().levels
    left = np.searchsorted(levels, level, side="right") - 1
    part = (level - levels[left]) / (levels[left + 1] - levels[left])
    low, high = table[row, left], table[row, left + 1]
    return np.asarray(low + part * (high - low))


def _quantile(quantiles: Floats, level: Floats) -> Floats:
    return np.interp(level, _shapes().client_levels, quantiles)


def _mean_of_exp(logs: Floats) -> float:
    """Expectation of exp of a law given by quantiles that are linear between equally spaced levels."""
    low, high = logs[:-1], logs[1:]
    rise = np.maximum(high - low, 1e-12)
    return float(np.mean(np.exp(low) * np.expm1(rise) / rise))


def _counted(values: Floats) -> Ints:
    """Tokens as whole numbers, at least one."""
    return np.maximum(np.rint(values), 1.0).astype(np.int64)


def _resampled(logs: Floats, bins: int) -> Floats:
    """Hourly curves at the middles of finer or coarser bins, going round the clock."""
    at = (np.arange(bins) + 0.5) * 24.0 / bins - 0.5
    left = np.floor(at).astype(np.int64)
    part = at - left
    return np.asarray(logs[:, left % 24] * (1.0 - part) + logs[:, (left + 1) % 24] * part)
