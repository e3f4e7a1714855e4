"""From a day of one kind to canonical request rows.

Here: `Traffic`, what a kind decides about its requests, and `finish`, which adds what every request
has: ids, model, tokens, status, latency, address. Not here: writing files (world).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.grammar import Rng
from pipelines.simulate.population import DAY_US, NEWEST_MODEL, Crowd, random_ids
from pipelines.simulate.rhythm import Arrivals

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_RELEASE_HOUR = 9
_ERRORS = (429, 500, 529)


@dataclass(slots=True, kw_only=True)
class Traffic:
    """Requests of one kind on one day. Arrays have one entry per request unless they are None."""

    arrivals: Arrivals
    prompt: pa.Array
    system: pa.Array | None = None
    """Where null or None, the account's own system prompt is sent, if it has one."""
    toolset: Ints | None = None
    output_tokens: float | Floats = 380.0
    """Median length of an answer."""
    context_tokens: Ints | None = None
    """What the conversation so far adds to the input."""
    end_user: Ints | None = None
    temperature: Floats | None = None
    response_format: str | None = None
    refused: float | Floats = 0.006
    n_images: Ints | None = None
    n_turns: Ints | None = None
    session_logged: bool = True


def _nullable(values: npt.NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    return pa.array(values, mask=values < 0).cast(kind)


def finish(traffic: Traffic, crowd: Crowd, day: int, day_start_us: int, rng: Rng) -> pa.Table:
    """The canonical rows of one kind and day."""
    arrivals = traffic.arrivals
    n, who = len(arrivals), arrivals.account
    index = pa.array(who)
    sent_us = day_start_us + np.minimum((arrivals.second * 1e6).astype(np.int64), DAY_US - 1)
    catalog = load_catalog()
    model = _models(crowd, arrivals, day, rng)
    system = crowd.system.take(index)
    if traffic.system is not None:
        system = pc.coalesce(traffic.system.cast(pa.string()), system)
    toolset = crowd.toolset[who] if traffic.toolset is None else traffic.toolset
    status, failed = _status(n, rng)
    tokens = _tokens(traffic, crowd, system=system, model=model, failed=failed, rng=rng)
    address = crowd.first_address[who] + _favourite(crowd.n_addresses[who], rng)
    sessions = random_ids("sess_", int(arrivals.session.max()) + 1 if n else 0, rng)
    logged = crowd.logs_sessions[who] & traffic.session_logged
    codes = pa.array([c["code"] for c in catalog.countries], pa.string())
    temperature = crowd.temperature[who] if traffic.temperature is None else traffic.temperature
    n_turns = arrivals.turn * 2 + 1 if traffic.n_turns is None else traffic.n_turns
    columns: dict[str, pa.Array] = {
        "request_id": random_ids("req_", n, rng, 22),
        "ts": pa.array(sent_us, pa.timestamp("us", tz="UTC")),
        "account_id": crowd.accounts["account_id"].combine_chunks().take(index),
        "prompt": traffic.prompt.cast(pa.string()),
        "org_id": crowd.accounts["org_id"].combine_chunks().take(index),
        "project_id": crowd.project.take(index),
        "api_key_id": crowd.key.take(index),
        "end_user_id": _end_users(traffic, who),
        "session_id": sessions.take(pa.array(arrivals.session, mask=~logged)),
        "trace_id": pa.nulls(n, pa.string()),
        "provider_request_id": random_ids("up_", n, rng, 18),
        "attempt": pa.array(np.where(rng.random(n) < 0.006, 2, 1)).cast(pa.int32()),
        "provider": pa.repeat("atlas", n),
        "model": pa.array([m["name"] for m in catalog.models], pa.string()).take(pa.array(model)),
        "endpoint": pa.repeat(crowd.endpoint, n),
        "system_prompt": system,
        "n_turns": pa.array(n_turns).cast(pa.int32()),
        "tool_names": _tool_names(toolset),
        "n_images": pa.array(np.zeros(n, np.int32) if traffic.n_images is None else traffic.n_images).cast(
            pa.int32()
        ),
        "temperature": pa.array(temperature, mask=np.isnan(temperature)),
        "top_p": pa.array(crowd.top_p[who], mask=np.isnan(crowd.top_p[who])),
        "max_tokens": _nullable(crowd.max_tokens[who], pa.int32()),
        "n_choices": pa.nulls(n, pa.int32()),
        "top_logprobs": pa.nulls(n, pa.int32()),
        "n_logit_bias": pa.nulls(n, pa.int32()),
        "stream": _nullable(crowd.stream[who], pa.bool_()),
        "thinking": _nullable(crowd.thinking[who], pa.bool_()),
        "response_format": pa.repeat(pa.scalar(traffic.response_format, pa.string()), n),
        **tokens,
        "status": pa.array(status).cast(pa.int32()),
        "refusal_category": pa.nulls(n, pa.string()),
        "ip": crowd.addresses.take(pa.array(address)),
        "country": codes.take(pa.array(crowd.country[who])),
        "asn": crowd.asn.take(index),
        "user_agent": pa.array(catalog.agents).take(pa.array(crowd.client[who])),
        "client_fingerprint": pa.array(catalog.fingerprints).take(pa.array(crowd.client[who])),
        "body_state": pa.repeat("full", n),
        "sample_rate": pa.repeat(1.0, n),
        "response": pa.nulls(n, pa.string()),
    }
    return pa.table({name: columns[name] for name in REQUEST_SCHEMA.names}, schema=REQUEST_SCHEMA)


def _models(crowd: Crowd, arrivals: Arrivals, day: int, rng: Rng) -> Ints:
    """Everybody's model; from the release on, part of the traffic of those who try the new one."""
    who = arrivals.account
    out_yet = (day > crowd.move_day[who]) | (
        (day == crowd.move_day[who]) & (arrivals.second >= _RELEASE_HOUR * 3_600)
    )
    moved = out_yet & (rng.random(len(who)) < crowd.move_share[who])
    return np.where(moved, NEWEST_MODEL, crowd.model[who]).astype(np.int64)


def _status(n: int, rng: Rng) -> tuple[Ints, npt.NDArray[np.bool_]]:
    failed = rng.random(n) < 0.018
    error = rng.choice(np.array(_ERRORS), n, p=[0.6, 0.25, 0.15])
    return np.where(failed, error, 200).astype(np.int64), failed


def _favourite(n_addresses: Ints, rng: Rng) -> Ints:
    """Mostly the first address of an account, sometimes another."""
    other = (rng.random(len(n_addresses)) * n_addresses).astype(np.int64)
    return np.where(rng.random(len(n_addresses)) < 0.7, 0, other)


def _end_users(traffic: Traffic, who: Ints) -> pa.Array:
    if traffic.end_user is None:
        return pa.nulls(len(who), pa.string())
    number = (traffic.end_user + 1) * 1_000_003 + who * 7_919
    mixed = pa.array((number * 2_654_435_761) % (1 << 40)).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar("eu_"), mixed, "")


def _tool_names(toolset: Ints) -> pa.Array:
    lists = pa.array([*load_catalog().all_toolsets, None], pa.list_(pa.string()))
    return lists.take(pa.array(np.where(toolset < 0, len(lists) - 1, toolset)))


def _lengths(column: pa.Array) -> Ints:
    lengths = pc.fill_null(pc.binary_length(column), 0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)


def _tokens(
    traffic: Traffic, crowd: Crowd, *, system: pa.Array, model: Ints, failed: npt.NDArray[np.bool_], rng: Rng
) -> dict[str, pa.Array]:
    """Token counts, stop reasons and latency that fit the text, the limits and each other."""
    who, n = traffic.arrivals.account, len(model)
    context = traffic.arrivals.turn * 420 if traffic.context_tokens is None else traffic.context_tokens
    fixed = _lengths(system) // 4 + context
    typed = (_lengths(traffic.prompt) * rng.normal(0.26, 0.015, n)).astype(np.int64) + 6
    scale = np.array([m["output_scale"] for m in load_catalog().models])[model]
    answer = (traffic.output_tokens * scale * rng.lognormal(0.0, 0.55, n)).astype(np.int64) + 1
    thinks = crowd.thinking[who] == 1
    reasoning = np.where(thinks, (answer * rng.uniform(0.4, 2.5, n)).astype(np.int64), 0)
    refused = rng.random(n) < traffic.refused
    answer = np.where(refused, np.minimum(answer, 60), answer)
    limit = np.where(crowd.max_tokens[who] < 0, 1 << 40, crowd.max_tokens[who])
    cut = answer + reasoning > limit
    output = np.where(failed, 0, np.minimum(answer + reasoning, limit))
    cached = np.where((fixed > 400) & (rng.random(n) < 0.6), fixed, 0)
    uses_tools = (crowd.toolset[who] >= 0) if traffic.toolset is None else traffic.toolset >= 0
    stop = np.select([failed, refused, cut, uses_tools & (rng.random(n) < 0.7)], [3, 2, 1, 4], default=0)
    names = pa.array(["stop", "length", "refusal", "error", "tool"], pa.string())
    latency = 180 + output * 11.0 * rng.lognormal(0, 0.25, n) + typed * 0.05
    return {
        "input_tokens": pa.array(typed + fixed),
        "output_tokens": pa.array(output),
        "cached_tokens": pa.array(cached),
        "reasoning_tokens": pa.array(np.minimum(reasoning, output), mask=~thinks),
        "stop_reason": names.take(pa.array(stop)),
        "latency_ms": pa.array(np.round(latency, 1)),
    }
