"""Accounts: who they are, where they sit, what they send with, how they pay.

Here: drawing a crowd of accounts from a profile. Every kind, benign or not, draws from the same
generators, so that no shape of an id or address tells one from another. Not here: what they do.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.record import ACCOUNT_SCHEMA, SIMULATED_LABEL_SCHEMA
from pipelines.simulate.catalog import CLOUDS, load_catalog
from pipelines.simulate.shapes import client_output_scale, client_rates
from pipelines.simulate.texts.grammar import Rng, join

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY_US = 86_400_000_000
NEWEST_MODEL = len(load_catalog().models) - 1
_ALPHABET = np.frombuffer(b"abcdefghijkmnpqrstuvwxyz23456789", np.uint8)
_MAIL = ("mail.example", "post.example", "inbox.example", "letters.example", "webmail.example", "hey.example")


def random_ids(prefix: str, n: int, rng: Rng, length: int = 16) -> pa.Array:
    """Random identifiers, one shape for everybody."""
    data = _ALPHABET[rng.integers(0, len(_ALPHABET), n * length)]
    offsets = np.arange(n + 1, dtype=np.int32) * length
    body = pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(data.tobytes()))
    return join([prefix, body], n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the accounts of a kind have in common."""

    kind: str
    generator: str = ""
    """Which of a kind's generators; each has its own line in reports."""
    campaign: str | None = None
    regime: str | None = None
    """Of a campaign: which rate of the public record it is counted under."""
    evasions: tuple[str, ...] = ()
    age_days: tuple[float, float] = (20.0, 1_100.0)
    """Range of account ages on the first night; drawn evenly on a logarithmic scale."""
    clients: tuple[str, ...] = ("web", "phone")
    countries: tuple[str, ...] = ()
    network: str = "home"
    """home: own addresses at access providers; office: one address an organisation; cloud: hosters."""
    addresses: tuple[int, int] = (1, 4)
    shared_exits: int = 0
    """Where positive, all addresses are drawn from so many: a proxy's exits that serve every account."""
    org_size: int = 1
    accounts_per_payment: int = 1
    plans: tuple[tuple[str, float], ...] = (("free", 0.45), ("plus", 0.4), ("api", 0.15))
    verified: float = 0.5
    use_cases: tuple[str, ...] = ()
    approved_use: str | None = None
    system: float = 0.1
    """Share of accounts that always send one of the widely shared system prompts."""
    temperatures: tuple[float | None, ...] = (None, None, None, None, 0.7, 1.0, 0.2)
    max_tokens: tuple[int | None, ...] = (None, None, None, 1_024, 4_096, 2_048)
    thinking: tuple[bool | None, ...] = (None, None, None, False, True)
    sessions: float = 0.8
    """Share of accounts whose client reports a session id."""
    moves: float = 0.4
    """Share of accounts that try a new model when one comes out."""
    move_share: tuple[float, float] = (0.1, 0.9)
    move_delay: tuple[int, int] = (0, 3)
    rate_spread: float | None = None
    """How unlike in volume the accounts are (shapes.client_rates); by default as customers of an API where
    they sit in a cloud, and half as much elsewhere."""
    endpoint: str = "/v1/chat"


@dataclass(slots=True)
class Crowd:
    """Accounts and their equipment; every array has one entry per account."""

    accounts: pa.Table
    labels: pa.Table
    country: Ints
    language: Ints
    utc_offset_h: Ints
    addresses: pa.Array
    """Flat: account i owns entries first_address[i] up to first_address[i] + n_addresses[i]."""
    first_address: Ints
    n_addresses: Ints
    asn: pa.Array
    client: Ints
    key: pa.Array
    project: pa.Array
    temperature: Floats
    top_p: Floats
    max_tokens: Ints
    stream: Ints
    thinking: Ints
    logs_sessions: npt.NDArray[np.bool_]
    model: Ints
    move_day: Ints
    move_share: Floats
    zest: Floats
    """How much more (or less) than its kind an account sends; heavy-tailed, expectation one."""
    answer_scale: Floats
    """How much longer or shorter than its kind's the answers of a program's account are; median one."""
    answer_width: Floats
    """0 to 1: how uneven they are among programs."""
    system: pa.Array
    toolset: Ints
    endpoint: str = "/v1/chat"

    def __len__(self) -> int:
        return len(self.zest)


def enrol(profile: Profile, n: int, rng: Rng, *, first_day: date, release_day: int) -> Crowd:
    """Draw `n` accounts.

    Parameters
    ----------
    release_day : number of the night (0-based) on which the newest model comes out
    """
    catalog = load_catalog()
    n_orgs = -(-n // profile.org_size)
    org_of = np.arange(n) // profile.org_size
    org_country = rng.choice(len(catalog.countries), n_orgs, p=catalog.country_weights(profile.countries))
    country = org_country[org_of].astype(np.int64)
    language = np.empty(n, np.int64)
    for code in np.unique(country).tolist():
        here = country == code
        weights = catalog.language_weights(code)
        language[here] = rng.choice(len(weights), int(here.sum()), p=weights)
    addresses, first_address, n_addresses = _addresses(profile, n, org_of, rng)
    move = rng.random(n) < profile.moves
    delays = rng.integers(profile.move_delay[0], profile.move_delay[1] + 1, n)
    spread = profile.rate_spread
    if spread is None:
        spread = 1.0 if profile.network == "cloud" else 0.5
    zest = client_rates(n, rng, spread)
    accounts = _account_rows(profile, org_of, country, first_day, rng)
    systems = pa.array([*catalog.shared_systems, None], pa.string())
    with_system = rng.random(n) < profile.system
    system_at = np.where(with_system, rng.integers(0, len(catalog.shared_systems), n), len(systems) - 1)
    return Crowd(
        accounts=accounts,
        labels=_label_rows(profile, accounts),
        country=country,
        language=language,
        utc_offset_h=np.array([c["utc_offset_h"] for c in catalog.countries], np.int64)[country],
        addresses=addresses,
        first_address=first_address,
        n_addresses=n_addresses,
        asn=_networks(profile, country, org_of, rng),
        client=rng.choice(len(catalog.clients), n, p=catalog.client_weights(profile.clients)).astype(
            np.int64
        ),
        key=random_ids("key_", n, rng, 12),
        project=_some(random_ids("proj_", n, rng, 10), 0.4, rng),
        temperature=_pick_floats(profile.temperatures, n, rng),
        top_p=_pick_floats((None, None, None, None, 0.95, 0.9, 1.0), n, rng),
        max_tokens=_pick_ints(profile.max_tokens, n, rng),
        stream=rng.choice(np.array([-1, 0, 1]), n, p=[0.2, 0.3, 0.5]).astype(np.int64),
        thinking=_pick_ints(tuple(None if t is None else int(t) for t in profile.thinking), n, rng),
        logs_sessions=rng.random(n) < profile.sessions,
        model=rng.choice(NEWEST_MODEL, n, p=_model_weights()).astype(np.int64),
        move_day=np.where(move, release_day + delays, np.iinfo(np.int64).max),
        move_share=rng.uniform(*profile.move_share, n),
        zest=zest,
        answer_scale=client_output_scale(n, rng),
        answer_width=rng.random(n),
        system=systems.take(pa.array(system_at)),
        toolset=np.full(n, -1, np.int64),
        endpoint=profile.endpoint,
    )


def _model_weights() -> Floats:
    weights = np.array([m["weight"] for m in load_catalog().models[:NEWEST_MODEL]], np.float64)
    return np.asarray(weights / weights.sum())


def _pick_floats(values: tuple[float | None, ...], n: int, rng: Rng) -> Floats:
    table = np.array([np.nan if value is None else value for value in values])
    return table[rng.integers(0, len(table), n)]


def _pick_ints(values: tuple[int | None, ...], n: int, rng: Rng) -> Ints:
    table = np.array([-1 if value is None else value for value in values], np.int64)
    return table[rng.integers(0, len(table), n)]


def _some(column: pa.Array, share: float, rng: Rng) -> pa.Array:
    index = pa.array(np.arange(len(column)), mask=rng.random(len(column)) >= share)
    return column.take(index)


def _ipv4(n: int, rng: Rng) -> pa.Array:
    octets = [rng.integers(low, high, n) for low, high in ((23, 205), (0, 256), (0, 256), (1, 255))]
    strings = [pa.array(octet).cast(pa.string()) for octet in octets]
    return join([strings[0], ".", strings[1], ".", strings[2], ".", strings[3]], n)


def _ipv6(n: int, rng: Rng) -> pa.Array:
    groups = [pa.array([f"{value:x}" for value in rng.integers(1, 65_536, n).tolist()]) for _ in range(4)]
    return join(["2a0e:", groups[0], ":", groups[1], ":", groups[2], "::", groups[3]], n)


def _addresses(profile: Profile, n: int, org_of: Ints, rng: Rng) -> tuple[pa.Array, Ints, Ints]:
    low, high = profile.addresses
    if profile.network == "office":
        n_orgs = int(org_of.max()) + 1 if n else 0
        return _ipv4(n_orgs, rng), org_of.astype(np.int64), np.ones(n, np.int64)
    counts = rng.integers(low, high + 1, n)
    total = int(counts.sum())
    v4, v6 = _ipv4(total, rng), _ipv6(total, rng)
    newer = rng.random(total) < 0.15
    flat = pa.concat_arrays([v4, v6]).take(pa.array(np.arange(total) + total * newer))
    if profile.shared_exits and total:
        exits = min(profile.shared_exits, total)
        flat = flat.take(pa.array(rng.integers(0, exits, total)))
    return flat, (np.cumsum(counts) - counts).astype(np.int64), counts.astype(np.int64)


def _networks(profile: Profile, country: Ints, org_of: Ints, rng: Rng) -> pa.Array:
    catalog = load_catalog()
    if profile.network == "cloud":
        picks = rng.integers(0, len(CLOUDS), len(country)).tolist()
        return pa.array([CLOUDS[pick] for pick in picks], pa.string())
    draws = rng.integers(0, 1 << 30, len(country))
    if profile.network == "office":
        draws = draws[org_of]
    homes = [catalog.countries[code]["homes"] for code in country.tolist()]
    return pa.array([h[draw % len(h)] for h, draw in zip(homes, draws.tolist(), strict=True)], pa.string())


def _account_rows(profile: Profile, org_of: Ints, country: Ints, first_day: date, rng: Rng) -> pa.Table:
    n = len(org_of)
    low, high = np.log(profile.age_days[0]), np.log(profile.age_days[1])
    start_us = (
        int(datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC).timestamp()) * 1_000_000
    )
    created = start_us - (np.exp(rng.uniform(low, high, n)) * DAY_US).astype(np.int64)
    n_orgs = int(org_of.max()) + 1 if n else 0
    org_ids = random_ids("org_", n_orgs, rng, 12)
    paying = np.arange(n) // profile.accounts_per_payment
    if profile.accounts_per_payment > 1:
        paying = rng.permutation(paying)
    if profile.org_size > 1:
        paying = org_of
    n_payments = int(paying.max()) + 1 if n else 0
    payments = random_ids("pay_", n_payments, rng, 14)
    plans = [name for name, _ in profile.plans]
    plan_at = rng.choice(len(plans), n, p=np.array([weight for _, weight in profile.plans]))
    domains = pa.array([*_MAIL], pa.string()).take(pa.array(rng.integers(0, len(_MAIL), n)))
    if profile.org_size > 1:
        own = join([random_ids("", n_orgs, rng, 6), ".example"], n_orgs)
        domains = own.take(pa.array(org_of))
    codes = pa.array([c["code"] for c in load_catalog().countries], pa.string())
    uses = pa.array([*profile.use_cases, None], pa.string())
    use_at = np.where(rng.random(n) < 0.6, rng.integers(0, max(1, len(profile.use_cases)), n), len(uses) - 1)
    free = np.array([plans[at] == "free" for at in plan_at.tolist()], bool)
    payment = payments.take(pa.array(paying, mask=free if profile.accounts_per_payment == 1 else None))
    until = date(first_day.year + 1, 12, 31) if profile.approved_use else None
    return pa.table(
        {
            "account_id": random_ids("acct_", n, rng),
            "org_id": org_ids.take(pa.array(org_of)),
            "created_at": pa.array(created, pa.timestamp("us", tz="UTC")),
            "payment_fingerprint": payment,
            "email_domain": domains,
            "country": codes.take(pa.array(country)),
            "plan": pa.array([plans[at] for at in plan_at.tolist()], pa.string()),
            "verified": pa.array(rng.random(n) < profile.verified),
            "use_case": uses.take(pa.array(use_at)),
            "approved_use": pa.array([profile.approved_use] * n, pa.string()),
            "approved_until": pa.array([until] * n, pa.date32()),
        },
        schema=ACCOUNT_SCHEMA,
    )


def _label_rows(profile: Profile, accounts: pa.Table) -> pa.Table:
    n = accounts.num_rows
    return pa.table(
        {
            "account_id": accounts["account_id"],
            "label": pa.array(["benign" if profile.campaign is None else "campaign"] * n, pa.string()),
            "campaign": pa.array([profile.campaign] * n, pa.string()),
            "kind": pa.array([profile.kind] * n, pa.string()),
            "generator": pa.array([profile.generator or profile.kind] * n, pa.string()),
            "regime": pa.array([profile.regime] * n, pa.string()),
            "evasions": pa.array(["+".join(profile.evasions)] * n, pa.string()),
            "joined": pa.nulls(n, pa.timestamp("us", tz="UTC")),
        },
        schema=SIMULATED_LABEL_SCHEMA,
    )
