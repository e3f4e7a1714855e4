"""What a scenario says of one campaign: its kind, its size, its evasions.

Here: the entry `[[campaign]]` of a scenario file and what follows from it. Not here: what the kinds do
(campaigns), how an evasion is carried out (evasions), the rest of the file (scenario).
"""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator

Evasion = Literal[
    "paraphrase",
    "slots_in_middle",
    "cover_traffic",
    "throttling",
    "rotation",
    "residential",
    "day_night",
    "parameter_jitter",
    "lookalike_characters",
    "languages",
]
EVASIONS: tuple[Evasion, ...] = get_args(Evasion)

Regime = Literal["low_and_wide", "middle", "high_and_narrow", "burst", "other"]
REGIMES: tuple[Regime, ...] = get_args(Regime)
"""The four rates of the public record, and what fits none of them (an account that works alone)."""

_LOW, _MIDDLE = 12.0, 100.0
"""Requests per account and day below which a campaign is low, or in the middle: between the record's 5.6, 26
and 733."""


class CampaignSpec(BaseModel):
    """One campaign, as a scenario describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    kind: str
    accounts: int = Field(ge=1, le=100_000)
    """At work at a time; replacements of banned or rotated accounts come on top."""
    requests_per_day: float = Field(gt=0, le=10_000)
    """Per account."""
    begins: int = Field(default=1, ge=1)
    """First night of the campaign; the first night of the world is 1."""
    ends: int | None = Field(default=None, ge=1)
    """Last night of the campaign; without one it goes on."""
    cover: float = Field(default=0.15, ge=0, lt=1)
    """Share of requests that are ordinary small talk."""
    bystanders: int = Field(default=0, ge=0, le=10_000)
    """Innocent accounts of each bystander kind, who share one object with this campaign."""
    evasions: tuple[Evasion, ...] = ()
    regime: Regime | None = None
    """What the campaign is reported under; follows from its rate and kind when left out."""

    @field_validator("evasions")
    @classmethod
    def _each_once(cls, evasions: tuple[Evasion, ...]) -> tuple[Evasion, ...]:
        if len(set(evasions)) < len(evasions):
            raise ValueError("an evasion is named twice")
        return tuple(sorted(evasions))

    def works_on(self, number: int) -> bool:
        """Whether the campaign is at work on a night (0-based)."""
        return self.begins - 1 <= number and (self.ends is None or number <= self.ends - 1)

    @property
    def reported_regime(self) -> Regime:
        """The regime its figures are counted under."""
        if self.regime is not None:
            return self.regime
        if self.accounts == 1:
            return "other"
        if self.requests_per_day < _LOW:
            return "low_and_wide"
        if self.requests_per_day < _MIDDLE:
            return "middle"
        return "burst" if self.kind == "burst" else "high_and_narrow"
