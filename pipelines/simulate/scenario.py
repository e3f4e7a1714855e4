"""Scenario files: who lives in a simulated world, which campaigns run in it, for how many nights.

Here: the format, its presets (presets/*.toml) and its errors. Not here: what the kinds do, what a campaign
may say of itself (spec).
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipelines.errors import UsageError
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.kinds import BENIGN, RARITY
from pipelines.simulate.outage import Outage
from pipelines.simulate.spec import CampaignSpec

SCALES = (
    "small",
    "medium",
    "incident",
    "benign",
    "benign_large",
    "low_and_wide",
    "middle",
    "high_and_narrow",
    "burst",
    "evasions",
    "bystanders",
    "feedback",
    "standard",
)
"""Presets: three sizes, two worlds without campaigns, the four rates of the public record, campaigns under
each evasion, campaigns with bystanders, a week to be played night by night, and the world that quality is
reported on."""


class Scenario(BaseModel):
    """A world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nights: int = Field(ge=1, le=366)
    release_night: int | None = Field(default=None, ge=1)
    """Night on which a new model comes out; without one, none does."""
    benign: dict[str, int]
    """Accounts per benign kind (over all its generators), or per `kind/generator`."""
    campaign: tuple[CampaignSpec, ...] = ()
    outage: tuple[Outage, ...] = ()

    @field_validator("benign")
    @classmethod
    def _known_kinds(cls, benign: dict[str, int]) -> dict[str, int]:
        for entry, accounts in benign.items():
            kind, _, generator = entry.partition("/")
            if kind not in BENIGN:
                raise ValueError(f"unknown kind {kind!r}; known are {', '.join(BENIGN)}")
            if generator and generator not in BENIGN[kind]:
                raise ValueError(f"{kind} has no generator {generator!r}, but {', '.join(BENIGN[kind])}")
            if accounts < 0:
                raise ValueError(f"{entry}: a number of accounts cannot be negative")
        return benign

    @model_validator(mode="after")
    def _campaigns_make_sense(self) -> "Scenario":
        names = [campaign.name for campaign in self.campaign]
        if len(set(names)) < len(names):
            raise ValueError("two campaigns have the same name")
        for campaign in self.campaign:
            if campaign.kind not in CAMPAIGNS:
                raise ValueError(
                    f"{campaign.name}: unknown kind {campaign.kind!r}; known are {', '.join(CAMPAIGNS)}"
                )
        return self

    def generators(self) -> dict[tuple[str, str], int]:
        """Accounts per kind and generator: a kind's dealt out over its generators, as rare as each is, on top
        of what an entry gives to a generator by name."""
        found: dict[tuple[str, str], int] = {}
        for entry, n in self.benign.items():
            kind, _, named = entry.partition("/")
            choice = [named] if named else list(BENIGN[kind])
            weights = np.array([RARITY.get((kind, generator), 1.0) for generator in choice])
            ends = np.round(n * np.cumsum(weights) / weights.sum()).astype(int).tolist()
            for generator, first, end in zip(choice, [0, *ends], ends, strict=False):
                if end > first:
                    found[kind, generator] = found.get((kind, generator), 0) + end - first
        return found


def load_scenario(scale: str, path: Path | None = None) -> Scenario:
    """Read a scenario file, or the preset of a scale.

    A file may begin with `base = "medium"`: what it leaves out is that preset's, benign kinds are added or
    replaced one by one, its campaigns are the file's own.

    Raises
    ------
    UsageError : no such scale or file, or a file that is not a scenario; the message names the entry.
    """
    if path is None:
        return _parse(_preset(scale), scale)
    if not path.is_file():
        raise UsageError(f"{path}: no such scenario file", remedy="check --scenario, or leave it out")
    return _parse(path.read_bytes(), str(path))


def _preset(name: str) -> bytes:
    if name not in SCALES:
        raise UsageError(f"unknown scale {name!r}", remedy=f"choose one of {', '.join(SCALES)}")
    return files("pipelines.simulate").joinpath("presets", f"{name}.toml").read_bytes()


def _parse(data: bytes, name: str) -> Scenario:
    remedy = "docs/reference/simulation.md describes scenario files"
    try:
        return Scenario.model_validate(_with_base(tomllib.loads(data.decode())))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "scenario"
        raise UsageError(f"{name}, {where}: {first['msg']}", remedy=remedy) from None
    except ValueError as error:  # not UTF-8, not TOML
        raise UsageError(f"{name}: {error}", remedy=remedy) from None


def _with_base(given: dict[str, Any]) -> dict[str, Any]:
    """What a scenario says, on top of the preset it is based on."""
    name = given.pop("base", None)
    if name is None:
        return given
    if name not in SCALES:
        raise ValueError(f"base: unknown scale {name!r}; known are {', '.join(SCALES)}")
    base = tomllib.loads(_preset(str(name)).decode())
    base.pop("campaign", None)
    base = _with_base(base)
    return base | given | {"benign": base.get("benign", {}) | given.get("benign", {})}
