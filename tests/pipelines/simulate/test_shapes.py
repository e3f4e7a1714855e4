"""Draws of token counts, rates, curves and bursts: what the fit promises and what the traces say."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.stats import ks_2samp, spearmanr

from pipelines.simulate import shapes
from tests.pools import POOLS, with_pools

ROOT = Path(__file__).parents[3]
SHAPES = ROOT / "pipelines" / "simulate" / "data" / "shapes.json"
CARD = ROOT / "docs" / "reference" / "traffic-shapes.md"

Floats = npt.NDArray[np.float64]


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def distance(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Kolmogorov-Smirnov distance of two samples, 0 to 1."""
    return float(ks_2samp(np.asarray(a), np.asarray(b)).statistic)


# -- against the traces ----------------------------------------------------------------------------


@with_pools
def test_the_shipped_numbers_are_those_of_the_traces() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "make_traffic_shapes.py"))
    assert tool["as_json"](tool["fit"](POOLS)) == SHAPES.read_text("ascii")


def test_the_card_shows_the_shipped_numbers() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "make_shapes_card.py"))
    assert tool["figures"](json.loads(SHAPES.read_text("ascii"))) in CARD.read_text("utf-8")


def test_the_shipped_numbers_are_small_and_hold_no_names() -> None:
    text = SHAPES.read_text()
    assert len(text) < 300_000
    for name in ("m-mid", "m-small", "client_id", "source"):
        assert name not in text


@with_pools
@pytest.mark.parametrize(("service", "kind"), [("conversation", "conv"), ("code", "code")])
def test_requests_of_a_service_look_like_the_trace(service: shapes.Service, kind: str) -> None:
    trace = pl.read_parquet(POOLS / "trace_azure_llm_2023.parquet").filter(pl.col("type") == kind)
    asked, answered = trace["input_tokens"].to_numpy(), trace["output_tokens"].to_numpy()
    inputs, outputs = shapes.tokens(service, 100_000, rng())
    assert distance(inputs, asked) < 0.02
    assert distance(outputs, answered) < 0.02
    assert np.quantile(outputs, 0.999) == pytest.approx(np.quantile(answered, 0.999), rel=0.1)
    assert spearmanr(inputs, outputs).statistic == pytest.approx(
        spearmanr(asked, answered).statistic, abs=0.02
    )
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        between = np.quantile(asked, (low, high))
        drawn = outputs[(inputs >= between[0]) & (inputs <= between[1])]
        seen = answered[(asked >= between[0]) & (asked <= between[1])]
        assert distance(drawn, seen) < 0.04  # the dependence holds, not the margins alone
    assert distance(shapes.output_tokens_given_input(service, asked, rng()), answered) < 0.02


@with_pools
def test_rates_and_bursts_of_clients_are_those_of_the_trace() -> None:
    windows = pl.read_parquet(POOLS / "trace_servegen_a_windows.parquet")
    mean = windows.group_by("service", "client_id").agg(pl.col("rate_rps").mean())
    mean = mean.filter(pl.col("rate_rps") > 0)
    share = mean["rate_rps"] / mean.select(pl.col("rate_rps").mean().over("service")).to_series()
    drawn = shapes.client_rates(50_000, rng())
    assert distance(drawn / np.median(drawn), share / share.median()) < 0.05

    busy = windows.filter(pl.col("rate_rps") * pl.col("window_s") >= 50, pl.col("cv") > 0)
    cv = busy.group_by("client_id").agg(pl.col("cv").median(), pl.len()).filter(pl.col("len") >= 10)["cv"]
    assert distance(shapes.burstiness(50_000, rng()), cv) < 0.05


@with_pools
def test_conversations_go_on_as_long_as_wildchats() -> None:
    talks = pl.read_parquet(POOLS / "benign_wildchat.parquet", columns=["group_id", "turn"])
    seen = talks.group_by("group_id").agg(pl.col("turn").max() + 1)["turn"].to_numpy()
    seen = seen[seen >= 2]
    drawn = shapes.turns(2.9, 100_000, rng())
    assert distance(drawn[drawn >= 2], seen) < 0.06


# -- against the fit -------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["conversation", "code", "api", "reasoning"])
def test_draws_keep_to_the_quantiles_that_were_fitted(service: shapes.Service) -> None:
    law = shapes._shapes().tokens[service]
    inputs, outputs = shapes.tokens(service, 200_000, rng())
    levels = shapes._shapes().levels
    middle = (levels > 0.02) & (levels < 0.98)
    fitted = np.interp(levels[middle], levels, law.inputs)
    np.testing.assert_allclose(np.quantile(inputs, levels[middle]), fitted, rtol=0.1, atol=2)
    assert inputs.min() >= 1
    assert outputs.min() >= 1
    assert inputs.max() <= np.ceil(law.inputs[-1])
    assert outputs.max() <= np.ceil(law.outputs.max())


@pytest.mark.parametrize("median", [6.0, 40.0, 380.0, 1_100.0])
def test_an_answer_has_the_wanted_median_and_a_real_spread(median: float) -> None:
    drawn = shapes.answer_tokens(median, 100_000, rng())
    assert np.median(drawn) == pytest.approx(median, rel=0.1)
    assert np.quantile(drawn, 0.99) > 2.5 * median
    even = shapes.answer_tokens(median, 20_000, rng(), np.zeros(20_000))
    uneven = shapes.answer_tokens(median, 20_000, rng(), np.full(20_000, 0.99))
    assert np.std(np.log(uneven)) > 3 * np.std(np.log(even))


@with_pools
@pytest.mark.parametrize(("like", "kind"), [("conversation", "conv"), ("code", "code")])
def test_answers_like_a_service_have_its_spread_around_any_median(like: shapes.Like, kind: str) -> None:
    trace = pl.read_parquet(POOLS / "trace_azure_llm_2023.parquet").filter(pl.col("type") == kind)
    answered = trace["output_tokens"].to_numpy()
    drawn = shapes.answer_tokens(1_000.0, 100_000, rng(), like=like)
    assert np.median(drawn) == pytest.approx(1_000, rel=0.05)
    assert distance(np.log(drawn / 1_000), np.log(answered / np.median(answered))) < 0.09


def test_every_request_may_have_a_median_of_its_own() -> None:
    median = np.repeat([10.0, 1_000.0], 20_000)
    drawn = shapes.answer_tokens(median, 40_000, rng())
    assert np.median(drawn[:20_000]) == pytest.approx(10, abs=2)
    assert np.median(drawn[20_000:]) == pytest.approx(1_000, rel=0.1)


def test_the_busiest_send_most_and_the_mean_stays_one() -> None:
    for spread, median, busiest in ((1.0, 0.12, 45.0), (0.5, 0.57, 10.0)):
        drawn = shapes.client_rates(400_000, rng(), spread)
        assert drawn.mean() == pytest.approx(1.0, rel=0.03)
        assert np.median(drawn) == pytest.approx(median, abs=0.02)
        assert drawn.max() > busiest
    assert np.ptp(shapes.client_rates(100, rng(), 0.0)) == 0


def test_clients_of_one_purpose_differ_less_than_clients_of_all() -> None:
    one, every = (shapes.client_output_scale(20_000, rng(), service) for service in ("reasoning", "api"))
    assert np.median(one) == pytest.approx(1.0, rel=0.03)
    assert np.median(every) == pytest.approx(1.0, rel=0.05)
    assert np.std(np.log(every)) > 2 * np.std(np.log(one))
    inputs, outputs = shapes.client_medians("api", 20_000, rng())
    fitted = shapes._shapes().medians["api"].rank_correlation
    assert spearmanr(inputs, outputs).statistic == pytest.approx(fitted, abs=0.03)


@pytest.mark.parametrize("kind", ["people", "office", "machine"])
def test_a_crowd_of_a_kind_has_the_mean_curve_of_the_kind(kind: shapes.Kind) -> None:
    curves = shapes.daily_curves(5_000, rng(), kind)
    np.testing.assert_allclose(curves.mean(axis=1), 1.0)
    assert np.abs(curves.mean(axis=0) - shapes.mean_curve(kind)).sum() / 48 < 0.03  # total variation
    fine = shapes.daily_curves(2_000, rng(), kind, bins=144)
    assert fine.shape == (2_000, 144)
    assert np.abs(fine.mean(axis=0).reshape(24, 6).mean(axis=1) - shapes.mean_curve(kind)).sum() / 48 < 0.05


def test_people_sleep_offices_close_and_machines_do_neither() -> None:
    night = {
        kind: shapes.daily_curves(5_000, rng(), kind)[:, 1:6].mean()
        for kind in ("people", "office", "machine")
    }
    assert night["office"] < night["people"] < 0.5
    assert night["machine"] > 0.9
    off = {kind: float(np.median(shapes.off_day_share(5_000, rng(), kind))) for kind in ("people", "office")}
    assert off["office"] < 0.6
    assert off["people"] > 0.9
    assert shapes.daily_curves(2_000, rng(), "mixed")[:, 1:6].mean() > night["people"]
    assert len(shapes.off_day_share(7, rng(), "mixed")) == 7


def test_some_accounts_are_alike_every_day_and_some_are_not() -> None:
    unrest = shapes.day_unrest(20_000, rng())
    assert np.quantile(unrest, 0.1) < 0.2
    assert np.quantile(unrest, 0.9) > 0.8
    nights = np.array([shapes.day_levels(unrest, rng(night)) for night in range(60)])
    assert nights.mean() == pytest.approx(1.0, rel=0.02)
    assert spearmanr(np.log(nights).std(axis=0), unrest).statistic > 0.95


def test_rates_wander_around_their_mean_and_neighbours_go_together() -> None:
    paths = shapes.wander(20_000, rng())
    assert paths.shape == (20_000, 144)
    assert paths.mean() == pytest.approx(1.0, rel=0.02)
    logs = np.log(paths)
    together = np.corrcoef(logs[:, 70], logs[:, 71])[0, 1]
    apart = np.corrcoef(logs[:, 20], logs[:, 120])[0, 1]
    assert together > 0.65
    assert abs(apart) < 0.2  # not nil: the more a rate wanders, the lower its usual logarithm
    assert np.corrcoef(*np.log(shapes.wander(20_000, rng(), 24))[:, 10:12].T)[0, 1] < 0.3


@pytest.mark.parametrize("mean", [1.0, 2.0, 15.0])
def test_sittings_have_the_wanted_mean_and_a_long_tail(mean: float) -> None:
    drawn = shapes.turns(mean, 200_000, rng())
    assert drawn.min() == 1
    assert drawn.mean() == pytest.approx(mean, rel=0.02)
    if mean > 1:
        plain = rng().geometric(1 / mean, 200_000)
        assert np.quantile(drawn, 0.9999) > 1.2 * np.quantile(plain, 0.9999)


@pytest.mark.parametrize(
    "draw",
    [
        lambda r: np.stack(shapes.tokens("code", 50, r)),
        lambda r: shapes.answer_tokens(90.0, 50, r),
        lambda r: shapes.client_rates(50, r),
        lambda r: shapes.daily_curves(5, r, "mixed"),
        lambda r: shapes.wander(5, r),
        lambda r: shapes.burstiness(50, r),
        lambda r: shapes.turns(3.0, 50, r),
        lambda r: shapes.day_levels(shapes.day_unrest(50, r), r),
        lambda r: shapes.off_day_share(50, r),
        lambda r: shapes.client_output_scale(50, r),
    ],
)
def test_the_same_generator_gives_the_same_arrays(draw: Callable[[np.random.Generator], Floats]) -> None:
    np.testing.assert_array_equal(draw(rng(7)), draw(rng(7)))
    assert not np.array_equal(draw(rng(7)), draw(rng(8)))


def test_nobody_is_drawn_for_nobody() -> None:
    for empty in (
        *shapes.tokens("api", 0, rng()),
        shapes.answer_tokens(10.0, 0, rng()),
        shapes.client_rates(0, rng()),
        shapes.daily_curves(0, rng(), "mixed"),
        shapes.wander(0, rng()),
        shapes.turns(2.0, 0, rng()),
    ):
        assert len(empty) == 0
