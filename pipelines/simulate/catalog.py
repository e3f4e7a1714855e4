"""The world around the texts: countries, clients, models and agent frameworks, read from data/catalog.toml.

Here: tables to draw from, weighted. Not here: who draws (population), what is said (texts).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.simulate.texts.grammar import LANGUAGES

Weights = npt.NDArray[np.float64]

CLOUDS = ("AS4200000901", "AS4200000902", "AS4200000903", "AS4200000904", "AS4200000905")
"""Networks of hosting companies."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything an account can be equipped with."""

    countries: tuple[dict[str, Any], ...]
    clients: tuple[dict[str, Any], ...]
    models: tuple[dict[str, Any], ...]
    frameworks: tuple[dict[str, Any], ...]
    toolsets: tuple[tuple[str, ...], ...]
    shared_systems: tuple[str, ...]

    @property
    def agents(self) -> list[str]:
        """User agents: of clients first, then of frameworks."""
        return [entry["agent"] for entry in (*self.clients, *self.frameworks)]

    @property
    def fingerprints(self) -> list[str]:
        """TLS fingerprints, in the order of `agents`."""
        return [entry["fingerprint"] for entry in (*self.clients, *self.frameworks)]

    @property
    def all_toolsets(self) -> list[list[str]]:
        """Tool lists: of frameworks first, then of other automations."""
        return [list(f["tools"]) for f in self.frameworks] + [list(tools) for tools in self.toolsets]

    def client_weights(self, families: tuple[str, ...]) -> Weights:
        """Chance of each client within some families."""
        return shares([entry["weight"] * (entry["family"] in families) for entry in self.clients])

    def country_weights(self, codes: tuple[str, ...] = ()) -> Weights:
        """Chance of each country, or of the named ones alone."""
        return shares([c["weight"] * (not codes or c["code"] in codes) for c in self.countries])

    def language_weights(self, country: int) -> Weights:
        """Chance of each of LANGUAGES in a country."""
        spoken = self.countries[country]["languages"]
        return shares([spoken.get(language, 0) for language in LANGUAGES])


def shares(weights: list[float]) -> Weights:
    """Weights scaled to sum to one."""
    array = np.asarray(weights, np.float64)
    return np.asarray(array / array.sum())


@cache
def load_catalog() -> Catalog:
    """Read the catalog once."""
    raw = tomllib.loads(files("pipelines.simulate").joinpath("data", "catalog.toml").read_text("utf-8"))
    return Catalog(
        countries=tuple(raw["country"]),
        clients=tuple(raw["client"]),
        models=tuple(raw["model"]),
        frameworks=tuple(raw["framework"]),
        toolsets=tuple(tuple(entry["tools"]) for entry in raw["toolset"]),
        shared_systems=tuple(raw["system"]["shared"]),
    )
