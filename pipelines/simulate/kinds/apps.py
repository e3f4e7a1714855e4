"""single_purpose_app: products with one template each and short, constrained answers.

Here: a support bot, a classifier, extraction to JSON, translation of tickets, comments on code, one big
application that answers from passages.
Not here: one-off runs (batches), resellers (gateways).
"""

from dataclasses import dataclass

import numpy as np

from pipelines.simulate.group import Group, Night, World
from pipelines.simulate.kinds.calendar import Like, bustle
from pipelines.simulate.kinds.paperwork import newcomers
from pipelines.simulate.kinds.speech import ask
from pipelines.simulate.population import Crowd, Profile
from pipelines.simulate.rhythm import renewal, sittings
from pipelines.simulate.shapes import burstiness, daily_curves, day_levels, day_unrest, off_day_share
from pipelines.simulate.texts.grammar import Rng
from pipelines.simulate.traffic import Traffic


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """An application's load and what it asks for."""

    theme: str
    size: tuple[float, float]
    """Median requests a day, and the spread of its logarithm over applications."""
    most: int
    answers: tuple[float, ...]
    """Median answer in tokens; one of these per application, for good."""
    clock: Like
    """Whose day its load follows."""
    weekend: float = 1.0
    """Of what such clients send on days of rest."""
    response_format: str | None = None
    end_users: int = 900
    """Customers behind an application; 0 where it serves nobody in particular."""


def ticket_classifier(world: World, n: int, rng: Rng) -> Group:
    """Every ticket gets a label: temperature 0, half a dozen tokens out."""
    crowd = _products(
        world,
        "ticket_classifier",
        n,
        rng,
        temperatures=(0.0, 0.0, 0.0, None),
        max_tokens=(8, 16, 64),
        use_cases=("classification", "routing"),
    )
    product = Product(
        theme="app", size=(60, 1.1), most=2_500, answers=(4.0, 6.0, 12.0), clock="people", weekend=0.6
    )
    return _serving(world, crowd, product, rng)


def support_bot(world: World, n: int, rng: Rng) -> Group:
    """Customers chat with a product's bot: the same instruction, several turns, the customers' day."""
    crowd = _products(
        world,
        "support_bot",
        n,
        rng,
        temperatures=(0.2, 0.7, None),
        max_tokens=(256, 512, None),
        use_cases=("customer service",),
        sessions=0.7,
    )
    templates = world.texts.templates("support", n, rng)
    curves, unrest = daily_curves(n, rng, "people"), day_unrest(n, rng)
    size = np.minimum(rng.lognormal(3.0, 1.1, n), 500)
    toolset = np.where(rng.random(n) < 0.4, _SHOP, -1)
    answer = rng.choice(np.array([60.0, 90.0, 140.0]), n)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = size * bustle(world, crowd, night.number, 0.8) * day_levels(unrest, rng)
        arrivals = sittings(busy, 2.6, 45.0, crowd.utc_offset_h, rng, curves)
        customers = rng.integers(0, 2_500, int(arrivals.session.max(initial=-1)) + 1)
        return [
            ask(
                templates,
                arrivals.account,
                arrivals,
                rng,
                output_tokens=answer[arrivals.account],
                end_user=customers[arrivals.session],
                toolset=toolset[arrivals.account],
            )
        ]

    return Group(crowd, day)


def json_extraction(world: World, n: int, rng: Rng) -> Group:
    """Letters in, fields out: one schema for years, no customers in sight."""
    crowd = _products(
        world,
        "json_extraction",
        n,
        rng,
        temperatures=(0.0, 0.0, None),
        max_tokens=(256, 512, 1_024),
        use_cases=("extraction", "back office"),
    )
    product = Product(
        theme="app",
        size=(70, 1.0),
        most=2_500,
        answers=(60.0, 90.0, 160.0),
        clock="office",
        weekend=0.6,
        response_format="json_schema",
        end_users=0,
    )
    return _serving(world, crowd, product, rng)


def ticket_translation(world: World, n: int, rng: Rng) -> Group:
    """Tickets of all languages into one, as they come, day and night: as many words out as in."""
    crowd = _products(
        world,
        "ticket_translation",
        n,
        rng,
        temperatures=(0.2, 0.3, None),
        max_tokens=(512, 1_024, None),
        use_cases=("translation", "customer service"),
    )
    product = Product(
        theme="translation_job",
        size=(60, 1.0),
        most=2_000,
        answers=(110.0, 150.0),
        clock="machine",
    )
    return _serving(world, crowd, product, rng)


def code_review_bot(world: World, n: int, rng: Rng) -> Group:
    """A comment under every change in a team's repositories: judging all day, in one format."""
    crowd = _products(
        world,
        "code_review_bot",
        n,
        rng,
        temperatures=(0.0, 0.2, None),
        max_tokens=(1_024, 2_048, None),
        use_cases=("software",),
    )
    product = Product(
        theme="code_review",
        size=(70, 0.9),
        most=1_200,
        answers=(160.0, 240.0, 380.0),
        clock="office",
        weekend=0.5,
        end_users=40,
    )
    return _serving(world, crowd, product, rng)


def big_app(world: World, n: int, rng: Rng) -> Group:
    """One of the largest customers: thousands of requests a day around one instruction, no night."""
    crowd = _products(
        world,
        "big_app",
        n,
        rng,
        plans=(("enterprise", 0.8), ("api", 0.2)),
        addresses=(4, 12),
        temperatures=(0.0, 0.7, None),
        max_tokens=(128, 256, 512),
        use_cases=("classification", "customer service", "search"),
    )
    product = Product(
        theme="rag",
        size=(1_500, 0.5),
        most=6_000,
        answers=(12.0, 40.0, 90.0),
        clock="machine",
        response_format="json_object",
        end_users=20_000,
    )
    return _serving(world, crowd, product, rng)


def _serving(world: World, crowd: Crowd, product: Product, rng: Rng) -> Group:
    """Each application fills its own template with whatever its customers bring."""
    n = len(crowd)
    templates = world.texts.templates(product.theme, n, rng)
    size = rng.lognormal(np.log(product.size[0]), product.size[1], n)
    answer = rng.choice(np.array(product.answers), n)
    curves, unrest, bursts = daily_curves(n, rng, product.clock), day_unrest(n, rng), burstiness(n, rng)
    rest = product.weekend * off_day_share(n, rng, product.clock)

    def day(night: Night) -> list[Traffic]:
        rng = night.rng
        busy = size * bustle(world, crowd, night.number, rest) * day_levels(unrest, rng)
        counts = np.minimum(rng.poisson(busy), product.most)
        arrivals = renewal(counts, curves, bursts, crowd.utc_offset_h, rng)
        users = rng.integers(0, product.end_users, len(arrivals)) if product.end_users else None
        return [
            ask(
                templates,
                arrivals.account,
                arrivals,
                rng,
                output_tokens=answer[arrivals.account],
                end_user=users,
                response_format=product.response_format,
            )
        ]

    return Group(crowd, day)


def _products(
    world: World, generator: str, n: int, rng: Rng, *, new_share: float = 0.12, **more: object
) -> Crowd:
    settings: dict[str, object] = {
        "age_days": (30, 1_100),
        "clients": ("sdk",),
        "network": "cloud",
        "addresses": (1, 3),
        "plans": (("api", 0.8), ("enterprise", 0.2)),
        "verified": 0.7,
        "thinking": (None, False),
        "sessions": 0.1,
        "moves": 0.06,
        **more,
    }
    profile = Profile(kind="single_purpose_app", generator=generator, **settings)  # type: ignore[arg-type]
    crowd = world.enrol(profile, n, rng)
    newcomers(world, crowd, new_share, (0.5, 25.0), rng)
    return crowd


_SHOP = 7
"""Place of the shop's tools among the catalog's tool sets."""

SINGLE_PURPOSE_APP = {
    "ticket_classifier": ticket_classifier,
    "support_bot": support_bot,
    "json_extraction": json_extraction,
    "ticket_translation": ticket_translation,
    "code_review_bot": code_review_bot,
    "big_app": big_app,
}
