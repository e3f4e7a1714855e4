"""gateway: contracted resellers and company gateways, many people's requests through one account.

Here: with and without ids of end users, a regional reseller, a company's own gateway. Not here: resellers
without a contract (resellers).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import bustle
from pipelines.simulate.kinds.speech import answers_like
from pipelines.simulate.population import Crowd, Floats, Ints, Profile
from pipelines.simulate.rhythm import AWAKE, OFFICE, sittings
from pipelines.simulate.shapes import day_levels, day_unrest
from pipelines.simulate.texts.grammar import LANGUAGES, Rng
from pipelines.simulate.traffic import Traffic

_PRODUCTS = 240
"""System prompts of the products behind a gateway; every second customer brings none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clientele:
    """Who sits behind a gateway."""

    people: int
    """End users per gateway."""
    sittings: float
    """Mean number a day, over all of them."""
    languages: tuple[str, ...]
    themes: tuple[tuple[str, float], ...] = (("chat", 0.6), ("work", 0.2), ("coding", 0.2))
    curve: npt.NDArray[np.float64]
    weekend: float = 0.85
    ids: bool = True
    """Whether the gateway passes its end users' ids on."""
    products: float = 0.5
    """Share of end users who come through a product with a system prompt of its own."""


def with_end_users(world: World, n: int, rng: Rng) -> Group:
    """A reseller to the whole world that passes on who asked."""
    clientele = Clientele(people=4_000, sittings=310.0, languages=LANGUAGES, curve=AWAKE + 3.0)
    return _gateway(world, _contracted(world, "with_end_users", n, rng), clientele, rng)


def without_end_users(world: World, n: int, rng: Rng) -> Group:
    """The same, with every id stripped: only the contract tells it from a relay."""
    clientele = Clientele(people=3_000, sittings=260.0, languages=LANGUAGES, curve=AWAKE + 3.0, ids=False)
    crowd = _contracted(world, "without_end_users", n, rng, sessions=0.3)
    return _gateway(world, crowd, clientele, rng)


def regional_reseller(world: World, n: int, rng: Rng) -> Group:
    """One country's reseller: one language and a little English, one night's rest, its own currency."""
    crowd = _contracted(
        world, "regional_reseller", n, rng, countries=("JP", "BR", "DE", "AE", "IN", "TW", "FR")
    )
    clientele = Clientele(people=2_000, sittings=220.0, languages=(), curve=AWAKE, weekend=1.1)
    return _gateway(world, crowd, clientele, rng)


def company_gateway(world: World, n: int, rng: Rng) -> Group:
    """All departments of a company through one key: office hours, internal tools, no resale on file."""
    profile = _profile(
        "company_gateway",
        approved_use=None,
        use_cases=("internal tools", "gateway"),
        network="office",
        verified=0.9,
    )
    clientele = Clientele(
        people=700,
        sittings=180.0,
        languages=(),
        themes=(("work", 0.6), ("coding", 0.3), ("chat", 0.1)),
        curve=OFFICE,
        weekend=0.1,
        products=0.7,
    )
    return _gateway(world, world.enrol(profile, n, rng), clientele, rng)


def _gateway(world: World, crowd: Crowd, clientele: Clientele, rng: Rng) -> Group:
    """Every end user keeps a language, a product and its parameters; some ask a hundred times as often."""
    n = len(crowd)
    products = world.texts.personas(_PRODUCTS, rng).cast(pa.string())
    size = clientele.sittings * rng.lognormal(0.0, 0.5, n)
    unrest = 0.5 * day_unrest(n, rng)  # thousands of customers: calmer than one of them
    language = _languages(crowd, clientele, rng)
    product = rng.integers(0, _PRODUCTS, (n, clientele.people))
    has_product = rng.random((n, clientele.people)) < clientele.products
    temperature = rng.choice(np.array([np.nan, 0.7, 1.0, 0.2]), (n, clientele.people))
    limit = rng.choice(np.array([-1, -1, 1_024, 4_096, 512]), (n, clientele.people))
    keenness = rng.lognormal(0.0, 1.3, (n, clientele.people)).cumsum(axis=1)
    clock = crowd.utc_offset_h if len(clientele.languages) == 0 else np.zeros(n, np.int64)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        level = day_levels(unrest, rng)
        traffic = []
        for theme, share in clientele.themes:
            busy = size * share * level * bustle(world, crowd, night.number, clientele.weekend)
            arrivals = sittings(busy, 3.0, 80.0, clock, rng, clientele.curve)
            n_sittings = int(arrivals.session.max(initial=-1)) + 1
            account = arrivals.account
            who = _callers(keenness, account[arrivals.starts], n_sittings, rng)[arrivals.session]
            texts = world.texts.conversation(theme, arrivals.starts, language[account, who], rng)
            own = product[account, who]
            traffic.append(
                Traffic(
                    arrivals=arrivals,
                    prompt=texts.prompt,
                    answers_like=answers_like(theme),
                    system=products.take(pa.array(own, mask=~has_product[account, who])),
                    end_user=who if clientele.ids else None,
                    temperature=temperature[account, who],
                    max_tokens=limit[account, who],
                    output_tokens=380.0,
                )
            )
        return traffic

    return Group(crowd, day)


def _callers(keenness: Floats, gateway: Ints, n_sittings: int, rng: Rng) -> Ints:
    """Who comes to each sitting: some end users a hundred times as often as others.

    Parameters
    ----------
    keenness : float64, shape (n_accounts, n_people); running sums over the end users of each gateway
    """
    n_accounts, n_people = keenness.shape
    line = (keenness / keenness[:, -1:] + np.arange(n_accounts)[:, None]).ravel()
    at = np.searchsorted(line, gateway + rng.random(n_sittings) * (1.0 - 1e-9))
    return np.asarray(np.minimum(at - gateway * n_people, n_people - 1), np.int64)


def _languages(crowd: Crowd, clientele: Clientele, rng: Rng) -> Ints:
    """Language of each end user of each gateway, shape (n_accounts, n_people)."""
    shape = (len(crowd), clientele.people)
    if clientele.languages:
        among = np.array([LANGUAGES.index(name) for name in clientele.languages], np.int64)
        return np.where(rng.random(shape) < 0.4, 0, rng.choice(among, shape))
    return np.where(rng.random(shape) < 0.9, crowd.language[:, None], 0)


def _contracted(world: World, generator: str, n: int, rng: Rng, **more: object) -> Crowd:
    return world.enrol(_profile(generator, **more), n, rng)


def _profile(generator: str, **more: object) -> Profile:
    settings: dict[str, object] = {
        "age_days": (60, 1_000),
        "clients": ("sdk",),
        "network": "cloud",
        "addresses": (1, 2),
        "plans": (("enterprise", 0.9), ("api", 0.1)),
        "verified": 1.0,
        "use_cases": ("gateway",),
        "approved_use": "reseller",
        "moves": 1.0,
        "move_delay": (0, 1),
        "sessions": 1.0,
        **more,
    }
    return Profile(kind="gateway", generator=generator, **settings)  # type: ignore[arg-type]


GATEWAY = {
    "with_end_users": with_end_users,
    "without_end_users": without_end_users,
    "regional_reseller": regional_reseller,
    "company_gateway": company_gateway,
}
