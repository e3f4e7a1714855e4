"""Scenario files: who lives in a simulated world, which campaigns run in it, for how many nights.

Here: the format, its presets (presets/*.toml) and its errors. Not here: what the kinds do.
"""

import tomllib
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pipelines.errors import UsageError
from pipelines.simulate.campaigns import CAMPAIGNS
from pipelines.simulate.kinds import BENIGN
from pipelines.simulate.spec import CampaignSpec

SCALES = ("small", "medium", "incident")


class Scenario(BaseModel):
    """A world."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nights: int = Field(ge=1, le=366)
    release_night: int | None = Field(default=None, ge=1)
    """Night on which a new model comes out; without one, none does."""
    benign: dict[str, int]
    """Accounts per benign kind."""
    campaign: tuple[CampaignSpec, ...] = ()

    @field_validator("benign")
    @classmethod
    def _known_kinds(cls, benign: dict[str, int]) -> dict[str, int]:
        for kind, accounts in benign.items():
            if kind not in BENIGN:
                raise ValueError(f"unknown kind {kind!r}; known are {', '.join(BENIGN)}")
            if accounts < 0:
                raise ValueError(f"{kind}: a number of accounts cannot be negative")
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


def load_scenario(scale: str, path: Path | None = None) -> Scenario:
    """Read a scenario file, or the preset of a scale.

    Raises
    ------
    UsageError : no such scale or file, or a file that is not a scenario; the message names the entry.
    """
    if path is not None:
        if not path.is_file():
            raise UsageError(f"{path}: no such scenario file", remedy="check --scenario, or leave it out")
        return _parse(path.read_bytes(), str(path))
    if scale not in SCALES:
        raise UsageError(f"unknown scale {scale!r}", remedy=f"choose one of {', '.join(SCALES)}")
    return _parse(files("pipelines.simulate").joinpath("presets", f"{scale}.toml").read_bytes(), scale)


def _parse(data: bytes, name: str) -> Scenario:
    remedy = "docs/reference/simulation.md describes scenario files"
    try:
        return Scenario.model_validate(tomllib.loads(data.decode()))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "scenario"
        raise UsageError(f"{name}, {where}: {first['msg']}", remedy=remedy) from None
    except ValueError as error:  # not UTF-8, not TOML
        raise UsageError(f"{name}: {error}", remedy=remedy) from None
