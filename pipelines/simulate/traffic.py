"""From a day of one kind to canonical request rows.

Here: `Traffic`, what a kind decides about its requests, and `finish`, which adds what every request
has: ids, model, tokens, status, latency, address. Not here: writing files (world).
"""

from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.record import REQUEST_SCHEMA
from pipelines.simulate.catalog import load_catalog
from pipelines.simulate.population import DAY_US, NEWEST_MODEL, Crowd, random_ids
from pipelines.simulate.rhythm import Arrivals, so_far
from pipelines.simulate.shapes import Like, answer_tokens
from pipelines.simulate.texts.grammar import Rng

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_RELEASE_HOUR = 9
_ERRORS = (429, 500, 529)

MOST_CONTEXT = 120_000
"""Tokens of a conversation that are sent along; clients cut what is older."""


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
    answers_like: Like = "client"
    """How answers spread about it: one purpose of one customer, people who chat, or steps of an agent."""
    context_tokens: Ints | None = None
    """What the conversation so far adds to the input."""
    end_user: Ints | None = None
    """Number of the end user within the account; -1 is unknown."""
    end_users_roam: bool = False
    """Whether a number is the same end user on every account of the crowd, as behind a relay that passes
    its users' ids through; otherwise no two accounts share an end user."""
    temperature: Floats | None = None
    response_format: str | pa.Array | None = None
    refused: float | Floats = 0.006
    n_images: Ints | None = None
    n_turns: Ints | None = None
    session_logged: bool = True
    failed: npt.NDArray[np.bool_] | None = None
    """Requests that fail (429, 500, 529); None fails a few by chance."""
    attempt: Ints | None = None
    max_tokens: Ints | None = None
    """-1 is unset; None is the account's own."""
    top_p: Floats | None = None
    """NaN is unset; None is the account's own."""
    stream: Ints | None = None
    """-1 unset, 0 no, 1 yes; None is the account's own."""
    thinking: Ints | None = None
    model: Ints | None = None
    """Position in the catalog's models; -1, or None, is the account's own."""
    client: Ints | None = None
    """Position in the catalog's agents; -1, or None, is the account's own."""
    n_choices: Ints | None = None
    """-1 is unset."""
    top_logprobs: Ints | None = None
    n_logit_bias: Ints | None = None
    address: Ints | None = None
    """Which of its account's addresses a request comes from, taken modulo their number; None is mostly the
    first one."""


def _nullable(values: npt.NDArray[np.int64], kind: pa.DataType) -> pa.Array:
    return pa.array(values, mask=values < 0).cast(kind)


def finish(traffic: Traffic, crowd: Crowd, day: int, day_start_us: int, rng: Rng) -> pa.Table:
    """The canonical rows of one kind and day."""
    arrivals = traffic.arrivals
    n, who = len(arrivals), arrivals.account
    index = pa.array(who)
    sent_us = day_start_us + np.minimum((arrivals.second * 1e6).astype(np.int64), DAY_US - 1)
    catalog = load_catalog()
    model = _models(traffic, crowd, day, rng)
    system = crowd.system.take(index)
    if traffic.system is not None:
        system = pc.coalesce(traffic.system.cast(pa.string()), system)
    toolset = crowd.toolset[who] if traffic.toolset is None else traffic.toolset
    asked = _Asked(
        max_tokens=crowd.max_tokens[who] if traffic.max_tokens is None else traffic.max_tokens,
        thinking=crowd.thinking[who] if traffic.thinking is None else traffic.thinking,
        system=system,
        toolset=toolset,
        model=model,
    )
    status, failed = _status(traffic, n, rng)
    tokens = _tokens(traffic, crowd, asked, failed=failed, rng=rng)
    client = _own(crowd.client[who], traffic.client)
    address = crowd.first_address[who] + _address(traffic, crowd.n_addresses[who], rng)
    sessions = random_ids("sess_", int(arrivals.session.max()) + 1 if n else 0, rng)
    logged = crowd.logs_sessions[who] & traffic.session_logged
    codes = pa.array([c["code"] for c in catalog.countries], pa.string())
    temperature = crowd.temperature[who] if traffic.temperature is None else traffic.temperature
    top_p = crowd.top_p[who] if traffic.top_p is None else traffic.top_p
    n_turns = arrivals.turn * 2 + 1 if traffic.n_turns is None else traffic.n_turns
    attempt = np.where(rng.random(n) < 0.006, 2, 1) if traffic.attempt is None else traffic.attempt
    columns: dict[str, pa.Array] = {
        "request_id": random_ids("req_", n, rng, 22),
        "ts": pa.array(sent_us, pa.timestamp("us", tz="UTC")),
        "account_id": crowd.accounts["account_id"].combine_chunks().take(index),
        "prompt": traffic.prompt.cast(pa.string()),
        "org_id": crowd.accounts["org_id"].combine_chunks().take(index),
        "project_id": crowd.project.take(index),
        "api_key_id": crowd.key.take(index),
        "end_user_id": _end_users(traffic, crowd),
        "session_id": sessions.take(pa.array(arrivals.session, mask=~logged)),
        "trace_id": pa.nulls(n, pa.string()),
        "provider_request_id": random_ids("up_", n, rng, 18),
        "attempt": pa.array(attempt).cast(pa.int32()),
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
        "top_p": pa.array(top_p, mask=np.isnan(top_p)),
        "max_tokens": _nullable(asked.max_tokens, pa.int32()),
        "n_choices": _unset_or(traffic.n_choices, n),
        "top_logprobs": _unset_or(traffic.top_logprobs, n),
        "n_logit_bias": _unset_or(traffic.n_logit_bias, n),
        "stream": _nullable(crowd.stream[who] if traffic.stream is None else traffic.stream, pa.bool_()),
        "thinking": _nullable(asked.thinking, pa.bool_()),
        "response_format": _response_formats(traffic, n),
        **tokens,
        "status": pa.array(status).cast(pa.int32()),
        "refusal_category": pa.nulls(n, pa.string()),
        "ip": crowd.addresses.take(pa.array(address)),
        "country": codes.take(pa.array(crowd.country[who])),
        "asn": crowd.asn.take(index),
        "user_agent": pa.array(catalog.agents).take(pa.array(client)),
        "client_fingerprint": pa.array(catalog.fingerprints).take(pa.array(client)),
        "body_state": pa.repeat("full", n),
        "sample_rate": pa.repeat(1.0, n),
        "response": pa.nulls(n, pa.string()),
    }
    return pa.table({name: columns[name] for name in REQUEST_SCHEMA.names}, schema=REQUEST_SCHEMA)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked of the model, one entry per request: the traffic's word, else the account's habit."""

    max_tokens: Ints
    thinking: Ints
    system: pa.Array
    toolset: Ints
    model: Ints


def _own(usual: Ints, wanted: Ints | None) -> Ints:
    """What a request wants, else what its account has."""
    return usual if wanted is None else np.where(wanted < 0, usual, wanted)


def _unset_or(values: Ints | None, n: int) -> pa.Array:
    return pa.nulls(n, pa.int32()) if values is None else _nullable(values, pa.int32())


def _response_formats(traffic: Traffic, n: int) -> pa.Array:
    if isinstance(traffic.response_format, pa.Array):
        return traffic.response_format.cast(pa.string())
    return pa.repeat(pa.scalar(traffic.response_format, pa.string()), n)


def _models(traffic: Traffic, crowd: Crowd, day: int, rng: Rng) -> Ints:
    """Everybody's model; from the release on, part of the traffic of those who try the new one."""
    who = traffic.arrivals.account
    out_yet = (day > crowd.move_day[who]) | (
        (day == crowd.move_day[who]) & (traffic.arrivals.second >= _RELEASE_HOUR * 3_600)
    )
    moved = out_yet & (rng.random(len(who)) < crowd.move_share[who])
    usual = np.where(moved, NEWEST_MODEL, crowd.model[who]).astype(np.int64)
    return _own(usual, traffic.model)


def _status(traffic: Traffic, n: int, rng: Rng) -> tuple[Ints, npt.NDArray[np.bool_]]:
    failed = rng.random(n) < 0.018 if traffic.failed is None else traffic.failed
    error = rng.choice(np.array(_ERRORS), n, p=[0.6, 0.25, 0.15])
    return np.where(failed, error, 200).astype(np.int64), failed


def _address(traffic: Traffic, n_addresses: Ints, rng: Rng) -> Ints:
    if traffic.address is not None:
        return np.asarray(traffic.address % n_addresses)
    return _favourite(n_addresses, rng)


def _favourite(n_addresses: Ints, rng: Rng) -> Ints:
    """Mostly the first address of an account, sometimes another."""
    other = (rng.random(len(n_addresses)) * n_addresses).astype(np.int64)
    return np.where(rng.random(len(n_addresses)) < 0.7, 0, other)


def _end_users(traffic: Traffic, crowd: Crowd) -> pa.Array:
    """Ids of one shape; numbers of different accounts (or, where they roam, crowds) never meet."""
    who = traffic.arrivals.account
    if traffic.end_user is None:
        return pa.nulls(len(who), pa.string())
    accounts, which = np.unique(who, return_inverse=True)
    if traffic.end_users_roam:
        accounts, which = np.zeros(1, np.int64), np.zeros(len(who), np.int64)
    names = crowd.accounts["account_id"].take(pa.array(accounts)).to_pylist()
    salt = np.array([crc32(name.encode()) for name in names], np.uint64)
    with np.errstate(over="ignore"):
        number = (traffic.end_user.astype(np.uint64) << np.uint64(32)) + salt[which]
        number = (number ^ (number >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        number = (number ^ (number >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)
    mixed = pa.array(number >> np.uint64(20), mask=traffic.end_user < 0).cast(pa.string())
    return pc.binary_join_element_wise(pa.scalar("eu_"), mixed, "")


def _tool_names(toolset: Ints) -> pa.Array:
    lists = pa.array([*load_catalog().all_toolsets, None], pa.list_(pa.string()))
    return lists.take(pa.array(np.where(toolset < 0, len(lists) - 1, toolset)))


def _lengths(column: pa.Array) -> Ints:
    lengths = pc.fill_null(pc.binary_length(column), 0)
    return np.asarray(lengths.to_numpy(zero_copy_only=False), np.int64)


def _answers(traffic: Traffic, crowd: Crowd, model: Ints, rng: Rng) -> Ints:
    """Answer lengths as real ones spread; a program's account keeps its own length and evenness for good."""
    scale = np.array([m["output_scale"] for m in load_catalog().models])[model]
    if traffic.answers_like != "client":
        return answer_tokens(traffic.output_tokens * scale, len(model), rng, like=traffic.answers_like)
    who = traffic.arrivals.account
    median = traffic.output_tokens * scale * crowd.answer_scale[who]
    return answer_tokens(median, len(model), rng, crowd.answer_width[who])


def _tokens(
    traffic: Traffic, crowd: Crowd, asked: _Asked, *, failed: npt.NDArray[np.bool_], rng: Rng
) -> dict[str, pa.Array]:
    """Token counts, stop reasons and latency that fit the text, the limits and each other."""
    n = len(asked.model)
    typed = (_lengths(traffic.prompt) * rng.normal(0.26, 0.015, n)).astype(np.int64) + 6
    answer = _answers(traffic, crowd, asked.model, rng)
    context = traffic.context_tokens
    if context is None:
        context = np.minimum(so_far(traffic.arrivals, typed + answer), MOST_CONTEXT)
    fixed = _lengths(asked.system) // 4 + context
    thinks = asked.thinking == 1
    reasoning = np.where(thinks, (answer * rng.uniform(0.4, 2.5, n)).astype(np.int64), 0)
    refused = rng.random(n) < traffic.refused
    answer = np.where(refused, np.minimum(answer, 60), answer)
    limit = np.where(asked.max_tokens < 0, 1 << 40, asked.max_tokens)
    cut = answer + reasoning > limit
    output = np.where(failed, 0, np.minimum(answer + reasoning, limit))
    cached = np.where((fixed > 400) & (rng.random(n) < 0.6), fixed, 0)
    uses_tools = asked.toolset >= 0
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
