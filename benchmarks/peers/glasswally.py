"""Glasswally's fusion: ten hand-weighted signals and one sum.

Source: repository m0rs3c0d3/Glasswally (Rust, MIT, March 2026): engine/fusion.rs for the weights and tiers,
workers/*.rs for the signals, state/window.rs for the clusters.

Flags: accounts whose sum reaches 0.35 (the tier "medium"), in the cluster they belong to.

As published: every weight, limit and confidence below; absent signals add nothing and the others are not
scaled up; clusters join accounts that share a payment, an organisation, a /24 or a TLS fingerprint, and
0.08 is added in one of five or more.
Chosen: a signal's best hour of the night stands for its stream of events. Left out: HTTP/2 settings (0.06),
header order and known script fingerprints, watermark probes (0.04), the list of hosting networks (0.07),
the embedding against archetypes (0.08), refusal probes (0.02), the topic chain (0.02), prefixes of card
numbers: a canonical record carries none of them, or only as opaque hashes. The uplift of 30 % for one
country is left out: a country is not evidence. For the oracle, clusters without the TLS fingerprint are
tried as well, since everybody with a common client shares it.

Needs of a log: prompts, addresses, clients, tokens; an accounts file for payments.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.peers.glasswally_signals import SIGNALS, Night
from benchmarks.peers.groups import components
from benchmarks.peers.peer import Found, cut
from benchmarks.peers.world import World

WEIGHTS = {
    "fingerprint": 0.14,
    "velocity": 0.10,
    "cot": 0.09,
    "hydra": 0.08,
    "timing": 0.07,
    "preamble": 0.06,
    "pivot": 0.05,
    "biometric": 0.05,
    "session_gap": 0.04,
    "token_budget": 0.03,
}

CLUSTERED = ("hydra", "pivot")
"""Signals that look at clusters; the others are the same whatever joins accounts."""

MEDIUM = 0.35
CLUSTER_BONUS = 0.08

_COLUMNS = (
    "prompt", "system_prompt", "org_id", "ip", "client_fingerprint", "model", "input_tokens", "max_tokens"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Glasswally:
    """See the module."""

    name: str = "Glasswally fusion"

    def find(self, world: World) -> Found:
        """Judge every night by its events and the relations of all nights so far."""
        published, unfingerprinted = _scores(world)
        found = cut(published, MEDIUM, f"sum {MEDIUM:g}, tier medium")
        other = cut(unfingerprinted, MEDIUM, "")
        renamed = tuple((f"{words}, no cluster by TLS fingerprint", flags) for words, flags in other.others)
        return Found(found.flags, found.point, others=(*found.others, *renamed))


def _scores(world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores of every account-night, with clusters by TLS fingerprint and without."""
    payments = world.payments()
    shared = {
        by_client: pl.DataFrame(schema={"account_id": pl.String, "item": pl.UInt64})
        for by_client in (True, False)
    }
    nights: dict[bool, list[pl.DataFrame]] = {True: [], False: []}
    for day in world.days:
        events = world.night(day, *_COLUMNS)
        told: dict[str, pl.DataFrame] = {}
        for by_client, earlier in shared.items():
            shared[by_client] = pl.concat([earlier, _relations(events, payments, by_client)]).unique()
            night = Night(events, _clusters(shared[by_client]), payments)
            told |= {
                name: signal(night)
                for name, signal in SIGNALS.items()
                if name in CLUSTERED or name not in told
            }
            nights[by_client].append(
                _summed(night, told).with_columns(pl.lit(day).cast(pl.Date).alias("day"))
            )
    return pl.concat(nights[True]), pl.concat(nights[False])


def _summed(night: Night, told: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """`account_id, campaign_id, score` of every account of a night; the campaign is the cluster."""
    everybody = night.clusters.join(night.events.select("account_id").unique(), on="account_id", how="semi")
    total = pl.when(pl.col("size") >= 5).then(CLUSTER_BONUS).otherwise(0.0)
    for name, weight in WEIGHTS.items():
        effective = pl.col("score").clip(0, 1) * (0.4 + 0.6 * pl.col("confidence"))
        everybody = everybody.join(
            told[name].select("account_id", effective.alias(name)), on="account_id", how="left"
        )
        total = total + weight * pl.col(name).fill_null(0.0)
    cluster = pl.when(pl.col("size") >= 3).then(pl.col("cluster"))
    return everybody.select("account_id", cluster.alias("campaign_id"), total.alias("score"))


def _relations(events: pl.DataFrame, payments: pl.DataFrame, by_fingerprint: bool) -> pl.DataFrame:
    """`account_id, item`: what joins accounts into clusters, as hashes that tell kinds apart."""
    subnet = pl.col("ip").str.extract(r"^(\d+\.\d+\.\d+)\.\d+$")
    items = {"org": pl.col("org_id"), "subnet": subnet}
    if by_fingerprint:
        items["client"] = pl.col("client_fingerprint")
    known = [
        events.select("account_id", pl.lit(kind).alias("kind"), item.alias("of"))
        for kind, item in items.items()
    ]
    paid = payments.join(events.select("account_id").unique(), on="account_id", how="semi")
    known.append(
        paid.select("account_id", pl.lit("payment").alias("kind"), pl.col("payment_fingerprint").alias("of"))
    )
    # Every account is related to itself, so that those who share nothing are a cluster of one.
    known.append(events.select("account_id", pl.lit("self").alias("kind"), pl.col("account_id").alias("of")))
    return (
        pl.concat(known)
        .drop_nulls()
        .unique()
        .select("account_id", pl.struct("kind", "of").hash(seed=0).alias("item"))
    )


def _clusters(shared: pl.DataFrame) -> pl.DataFrame:
    """`account_id, cluster, size`: connected by shared items; the smallest member's id names the cluster."""
    names = shared["account_id"].unique().sort()
    account = shared["account_id"].rank("dense").to_numpy().astype(np.int64) - 1
    item = shared["item"].rank("dense").to_numpy().astype(np.int64) - 1 + len(names)
    label = components(account, item, len(names) + shared["item"].n_unique())[: len(names)]
    return pl.DataFrame({"account_id": names, "label": label}).select(
        "account_id",
        pl.col("account_id").min().over("label").alias("cluster"),
        pl.len().over("label").cast(pl.Int64).alias("size"),
    )
