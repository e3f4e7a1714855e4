"""Glasswally's signals of one night, each `account_id, score, confidence`.

Here: one function per worker, its limits as published. Not here: weights and sum (glasswally).
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from benchmarks.peers.phrases import DOMAINS, PATTERN

_VERBS = (
    "implement|explain|analyze|generate|translate|summarize|compare|evaluate|describe|list|write|create|"
    "provide|show|tell"
)
_ROLES = (
    "always provide complete", "never refuse", "do not add disclaimers", "respond with maximum detail",
    "show every step of your reasoning", "provide detailed chain of thought",
    "think aloud before answering",
    "you are an expert", "act as an expert", "you are a highly skilled", "you are a world-class",
    "your answers will be used to train", "generate high-quality training examples", "cover all aspects",
    "provide exhaustive", "be comprehensive and thorough", "do not omit anything",
    "format your answer in json",
    "structure your response as", "output must be parseable", "use xml tags to separate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Night:
    """Events of one night by account and time, clusters of accounts (account_id, cluster, size), payments."""

    events: pl.DataFrame
    clusters: pl.DataFrame
    payments: pl.DataFrame


def _variation(values: pl.Expr) -> pl.Expr:
    """Standard deviation over mean; null where that is not defined."""
    mean = values.mean()
    return pl.when(mean > 0).then(values.std(ddof=0) / mean)


def _steps(value: pl.Expr, *steps: tuple[float, float], above: bool = True) -> pl.Expr:
    """The score of the first step that `value` exceeds (or, if not `above`, stays below); else 0."""
    chosen = pl.lit(0.0)
    for limit, score in reversed(steps):
        passes = (value > limit) if above else (value < limit)
        chosen = pl.when(passes.fill_null(False)).then(pl.lit(score)).otherwise(chosen)
    return chosen


def _best(hours: pl.DataFrame, score: pl.Expr, confidence: pl.Expr) -> pl.DataFrame:
    """The hour that counts most, one row per account."""
    rated = hours.select("account_id", score.alias("score"), confidence.alias("confidence"))
    strength = pl.col("score") * (0.4 + 0.6 * pl.col("confidence"))
    return rated.sort("account_id", strength, descending=[False, True]).unique("account_id", keep="first")


def _by_hour(night: Night, *values: pl.Expr) -> pl.DataFrame:
    return night.events.group_by("account_id", pl.col("ts").dt.truncate("1h").alias("hour")).agg(
        pl.len().alias("n"), *values
    )


def velocity(night: Night) -> pl.DataFrame:
    """Requests an hour, regular gaps, even token counts, small hours."""
    gaps = pl.col("ts").diff().dt.total_milliseconds() / 1e3
    gaps = gaps.filter(gaps > 0)
    small_hours = night.events.group_by("account_id").agg(
        (pl.col("ts").dt.hour() < 6).mean().alias("small_hours")
    )
    span_s = (pl.col("ts").last() - pl.col("ts").first()).dt.total_seconds().clip(lower_bound=1)
    hours = (
        _by_hour(
            night,
            (pl.len() / span_s * 3600).alias("pace"),
            pl.when(gaps.len() >= 3)
            .then((1 - _variation(gaps)).clip(lower_bound=0))
            .otherwise(0.0)
            .alias("regularity"),
            _variation(pl.col("input_tokens").cast(pl.Float64)).alias("tokens"),
        )
        .filter(pl.col("n") >= 5)
        .join(small_hours, on="account_id")
    )
    score = (
        _steps(pl.col("pace"), (200, 0.45), (60, 0.25))
        + _steps(pl.col("regularity"), (0.70, 0.30), (0.50, 0.15))
        + _steps(pl.col("tokens"), (0.15, 0.15), above=False)
        + _steps(pl.col("small_hours"), (0.5, 0.10))
    )
    confidence = (pl.col("n") / 50).clip(upper_bound=1.0)
    return _best(hours, score * (0.5 + 0.5 * confidence), confidence)


def cot(night: Night) -> pl.DataFrame:
    """Phrases that ask for reasoning, their share, and one capability above all."""
    domains = [pl.col("prompt").str.contains(pattern).mean().alias(name) for name, pattern in DOMAINS.items()]
    hours = _by_hour(night, pl.col("prompt").str.contains(PATTERN).mean().alias("share"), *domains)
    many = pl.col("n") >= 5
    score = (
        _steps(pl.col("share"), (0.0, 0.40))
        + pl.when(many & (pl.col("share") >= 0.20)).then(0.35).otherwise(0.0)
        + pl.when(many & (pl.max_horizontal(*DOMAINS) >= 0.70)).then(0.25).otherwise(0.0)
    )
    return _best(hours, score, pl.lit(0.9))


def fingerprint(night: Night) -> pl.DataFrame:
    """Several TLS fingerprints of one account, or one of many accounts."""
    seen = night.events.select("account_id", "client_fingerprint").drop_nulls().unique()
    crowd = seen.with_columns(pl.len().over("client_fingerprint").alias("crowd"))
    rated = (
        crowd.group_by("account_id")
        .agg(pl.len().alias("n_fingerprints"), pl.col("crowd").max())
        .join(night.events.group_by("account_id").len("n"), on="account_id")
    )
    score = pl.when(pl.col("n_fingerprints") >= 3).then(0.20).otherwise(0.0) + pl.when(
        pl.col("crowd") >= 10
    ).then(0.15).otherwise(0.0)
    confidence = (pl.col("n") / 20).clip(upper_bound=1.0)
    return _best(rated, score * (0.4 + 0.6 * confidence), confidence)


def hydra(night: Night) -> pl.DataFrame:
    """Size of the cluster, its payments and its networks."""
    subnet = pl.col("ip").str.extract(r"^(\d+\.\d+\.\d+)\.\d+$")
    of_cluster = (
        night.events.join(night.clusters, on="account_id")
        .join(night.payments, on="account_id", how="left")
        .group_by("cluster")
        .agg(
            pl.col("payment_fingerprint").drop_nulls().n_unique().alias("payments"),
            subnet.drop_nulls().n_unique().alias("subnets"),
            pl.len().alias("n"),
        )
    )
    # Accounts of one cluster that hold one payment instrument between them: the clique of the payment graph.
    clique = (
        night.payments.with_columns(pl.len().over("payment_fingerprint").alias("clique"))
        .join(night.clusters, on="account_id")
        .group_by("cluster")
        .agg(pl.col("clique").max())
    )
    rated = (
        night.clusters.filter(pl.col("size") >= 3)
        .join(of_cluster, on="cluster")
        .join(clique, on="cluster", how="left")
    )
    score = (
        (pl.col("size") / 25).clip(upper_bound=1.0) * 0.40
        + (pl.col("payments") * 0.07).clip(upper_bound=0.35)
        + (pl.col("subnets") * 0.03).clip(upper_bound=0.15)
        + pl.when(pl.col("clique").fill_null(0) >= 4).then(0.15).otherwise(0.0)
    )
    return _best(rated, score, (pl.col("n") / 100).clip(upper_bound=1.0))


def timing(night: Night) -> pl.DataFrame:
    """Seconds in which five or more accounts act, again and again, at even distances."""
    second = pl.col("ts").dt.truncate("1s").alias("second")
    seconds = (
        night.events.select("account_id", second)
        .unique()
        .group_by("second")
        .agg(pl.len().alias("n"))
        .filter(pl.col("n") >= 5)
        .sort("second")
    )
    if seconds.is_empty():
        return pl.DataFrame(schema={"account_id": pl.String, "score": pl.Float64, "confidence": pl.Float64})
    gap_s = pl.col("second").diff().dt.total_seconds().cast(pl.Float64).alias("gap_s")
    prior = (
        seconds.with_columns(gap_s)
        .rolling("second", period="300s", closed="left")
        .agg(pl.len().alias("prior"), _variation(pl.col("gap_s").slice(1)).alias("cadence"))
    )
    rated = seconds.join(prior, on="second", how="left").with_columns(pl.col("prior").fill_null(0))
    again = pl.col("prior") >= 3
    score = (
        ((pl.col("n") - 5) / 7 * 0.5).clip(0, 0.5)
        + pl.when(again).then(0.30).otherwise(0.0)
        + pl.when(again)
        .then(_steps(pl.col("cadence"), (0.15, 0.20), (0.35, 0.10), above=False))
        .otherwise(0.0)
    )
    events = night.events.select("account_id", second).join(
        rated.select("second", "n", score.alias("burst")), on="second"
    )
    return _best(events, pl.col("burst"), (pl.col("n") / 12).clip(upper_bound=1.0))


def pivot(night: Night) -> pl.DataFrame:
    """A change of model, alone or with five others of the cluster within six hours."""
    switches = (
        night.events.drop_nulls("model")
        .with_columns(
            (pl.col("model") != pl.col("model").shift(1).over("account_id")).fill_null(False).alias("moved")
        )
        .filter("moved")
        .group_by("account_id", "model")
        .agg(pl.col("ts").last())
        .join(night.clusters, on="account_id")
        .sort("cluster", "model", "ts")
    )
    if switches.is_empty():
        return pl.DataFrame(schema={"account_id": pl.String, "score": pl.Float64, "confidence": pl.Float64})
    together = switches.rolling("ts", period="12h", offset="-6h", group_by=["cluster", "model"]).agg(
        pl.len().alias("together")
    )
    rated = switches.with_columns(together["together"])
    score = (
        pl.when(pl.col("together") >= 5)
        .then((0.20 + pl.col("together") / 30 * 0.80).clip(0, 1))
        .otherwise(0.20)
    )
    return _best(rated, score, pl.lit(0.85))


def biometric(night: Night) -> pl.DataFrame:
    """Few shapes of prompt, even lengths, one beginning."""
    lower = pl.col("prompt").str.to_lowercase()
    shape = pl.struct(
        pl.col("prompt").str.len_bytes() // 100,
        lower.str.extract(r"(\S+)").alias("first"),
        lower.str.extract(f"({_VERBS})").alias("verb"),
    ).hash(seed=0)
    events = night.events.drop_nulls("prompt").with_columns(
        shape.alias("shape"), lower.str.slice(0, 30).hash(seed=0).alias("opening")
    )
    share = pl.col("shape").value_counts().struct.field("count") / pl.len()
    hours = (
        events.group_by("account_id", pl.col("ts").dt.truncate("1h").alias("hour"))
        .agg(
            pl.len().alias("n"),
            (-(share * share.log()).sum() / pl.len().cast(pl.Float64).log()).alias("entropy"),
            _variation(pl.col("prompt").str.len_bytes().cast(pl.Float64)).alias("lengths"),
            (pl.col("opening").value_counts().struct.field("count").max() / pl.len()).alias("opening"),
        )
        .filter(pl.col("n") >= 10)
    )
    score = (
        _steps(pl.col("entropy"), (0.20, 0.45), (0.40, 0.20), above=False)
        + _steps(pl.col("lengths"), (0.10, 0.25), (0.20, 0.10), above=False)
        + _steps(pl.col("opening"), (0.60, 0.30), (0.40, 0.15))
    )
    confidence = (pl.col("n") / 50).clip(upper_bound=1.0)
    return _best(hours, score * (0.3 + 0.7 * confidence), confidence)


def preamble(night: Night) -> pl.DataFrame:
    """One system prompt used again and again, shared by accounts, or a role that promises everything."""
    roles = pl.col("prompt").str.to_lowercase().str.count_matches("|".join(_ROLES))
    system = night.events.group_by("account_id", "system_prompt").agg(pl.len().alias("n")).drop_nulls()
    shared = (
        system.with_columns(pl.len().over("system_prompt").alias("crowd"))
        .group_by("account_id")
        .agg(pl.col("n").max().alias("same"), pl.col("n").sum(), pl.col("crowd").max())
    )
    rated = (
        night.events.group_by("account_id")
        .agg(roles.max().alias("roles"))
        .join(shared, on="account_id", how="left")
    )
    reuse = (
        pl.when(pl.col("n") >= 5)
        .then(
            pl.when(pl.col("same") >= 0.8 * pl.col("n"))
            .then(0.35)
            .when(pl.col("same") >= 0.6 * pl.col("n"))
            .then(0.20)
            .otherwise(0.0)
        )
        .otherwise(0.0)
    )
    collision = (
        pl.when(pl.col("crowd") >= 10)
        .then(0.50)
        .when(pl.col("crowd") >= 5)
        .then(0.35)
        .when(pl.col("crowd") >= 3)
        .then(0.18)
        .otherwise(0.0)
    )
    role = (pl.col("roles").fill_null(0) * 0.10).clip(upper_bound=0.25)
    confidence = pl.when(collision > 0).then(0.90).when(reuse > 0).then(0.75).otherwise(0.55)
    total = role + reuse + collision
    return _best(rated, pl.when(total >= 0.15).then(total).otherwise(0.0), confidence)


def session_gap(night: Night) -> pl.DataFrame:
    """Sessions that begin at even distances, as a scheduler's do."""
    gap_s = pl.col("ts").diff().over("account_id").dt.total_seconds()
    sessions = (
        night.events.select("account_id", "ts", gap_s.alias("gap_s"))
        .with_columns((pl.col("gap_s").fill_null(1e9) >= 120).cum_sum().over("account_id").alias("session"))
        .group_by("account_id", "session")
        .agg(pl.len().alias("n"), pl.col("gap_s").first())
        .sort("account_id", "session")
    )
    pauses = pl.col("gap_s").slice(1).cast(pl.Float64)
    rated = (
        sessions.group_by("account_id")
        .agg(
            pl.len().alias("sessions"),
            pl.col("n").sum(),
            _variation(pauses).alias("pauses"),
            _variation(pl.col("n").cast(pl.Float64)).alias("sizes"),
        )
        .filter((pl.col("n") >= 8) & (pl.col("sessions") >= 4))
    )
    score = (
        _steps(pl.col("pauses"), (0.05, 0.55), (0.08, 0.40), (0.15, 0.20), above=False)
        + pl.when((pl.col("sizes") < 0.10) & (pl.col("pauses") < 0.15)).then(0.25).otherwise(0.0)
        + _steps(pl.col("sessions"), (20, 0.10))
    )
    confidence = (
        pl.when(pl.col("pauses") < 0.05).then(0.88).when(pl.col("pauses") < 0.08).then(0.75).otherwise(0.55)
    )
    return _best(rated, pl.when(score >= 0.15).then(score).otherwise(0.0), confidence)


def token_budget(night: Night) -> pl.DataFrame:
    """Answers asked for at a model's full length, nearly always."""
    limits = pl.Series([1024, 2048, 4096, 8192, 16384, 32768, 65536, 128_000, 200_000])
    asked = (
        night.events.select("account_id", pl.col("max_tokens").cast(pl.Int64))
        .drop_nulls()
        .filter(pl.col("max_tokens") > 0)
    )
    nearest = pl.min_horizontal(*((pl.col("max_tokens") - limit).abs() for limit in limits))
    chosen = pl.coalesce(
        *(pl.when((pl.col("max_tokens") - limit).abs() == nearest).then(pl.lit(limit)) for limit in limits)
    )
    rated = (
        asked.with_columns((pl.col("max_tokens") >= 0.9 * chosen).alias("greedy"))
        .group_by("account_id")
        .agg(pl.len().alias("n"), pl.col("greedy").mean(), pl.col("max_tokens").median())
        .filter(pl.col("n") >= 6)
    )
    greedy = pl.when(pl.col("greedy") >= 0.70).then(0.30).otherwise(0.0)
    score = greedy + _steps(pl.col("max_tokens"), (2000, 0.10))
    return _best(
        rated,
        pl.when(score >= 0.20).then(score).otherwise(0.0),
        pl.when(score > 0.35).then(0.82).otherwise(0.60),
    )


SIGNALS: dict[str, Callable[[Night], pl.DataFrame]] = {
    "velocity": velocity,
    "cot": cot,
    "fingerprint": fingerprint,
    "hydra": hydra,
    "timing": timing,
    "pivot": pivot,
    "biometric": biometric,
    "preamble": preamble,
    "session_gap": session_gap,
    "token_budget": token_budget,
}
