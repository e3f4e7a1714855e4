"""Settings of a scan: frozen, typed, each with the reason for its value.

They come, in this order, from the command line, from environment variables (`STILLWATCH_...`), from
the file given with --config or `stillwatch.toml` in the workspace, and from the defaults here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from detector.campaigns import LADDER, Action, Part, Policy
from detector.models.lone import LonePolicy
from pipelines.adapters.join import Filled, Join, JoinColumn
from pipelines.adapters.source import Level
from pipelines.errors import UsageError

MOST_LOG_ODDS = 100
"""No group has so much evidence: every piece of it is capped. A threshold of this size flags nothing."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JoinSettings(_Section):
    """An edge log that adds to a content log of the same calls ([how](../how-to/joins.md)): one table
    `[[input.join]]` for each pair. Takes effect where a scan's logs hold both."""

    content: str
    """Format of the log whose rows are the requests."""

    edge: str
    """Format of the log that adds to them."""

    by: JoinColumn = "request_id"
    """The call's id in the content log."""

    edge_by: JoinColumn = "request_id"
    """The call's id in the edge log."""

    content_files: str = ""
    """Which files of its format are the content log: part of a path, with `*` for anything. Empty: all."""

    edge_files: str = ""
    """Which files of its format are the edge log, likewise; needed where both logs are in one format."""

    fills: tuple[Filled, ...] = ()
    """Columns that are taken from the edge where the content log has nothing; what it has always stays.
    Empty: account, key, address, country, network, user agent and client fingerprint; and, by an id of one
    call, status and latency."""


class InputSettings(_Section):
    """How logs are read."""

    batch_rows: int = Field(default=65_536, ge=1)
    """Rows per Arrow batch: large enough to amortise a batch's fixed cost, small enough that a batch of
    long prompts (8 KB each) stays near 512 MB."""

    max_prompt_bytes: int = Field(default=4_000_000, ge=1)
    """A text longer than this is fingerprinted by its first so many bytes; no public API takes more."""

    memory_mb: int = Field(default=1_500, ge=256)
    """What the warehouse may hold in memory before it spills to disk; the kernels' arrays come on top."""

    threads: int = Field(default=0, ge=0)
    """Threads for reading and kernels; 0 is as many as there are processors."""

    account: tuple[Level, ...] = ()
    """Which identity level is the account, the unit that is flagged and enforced, where a log knows several:
    the first of these that a record has. Empty: what the log's format says (`stillwatch sources`). The other
    levels stay and tie accounts together."""

    formats: tuple[Path, ...] = ()
    """Mapping files of log formats of your own ([how to write one](../how-to/own-format.md)). They are known
    by their first records before all other formats are."""

    join: tuple[JoinSettings, ...] = ()
    """Edge logs that add to content logs; each a table `[[input.join]]`, below."""

    def joins(self) -> tuple[Join, ...]:
        """The joins, as the adapters take them."""
        return tuple(Join(**one.model_dump()) for one in self.join)


class TextSettings(_Section):
    """What is known of texts beforehand."""

    known_sets: Path | None = None
    """Folder of public data sets, one Parquet or JSON Lines file each with a column `text` or `prompt`: whose
    items fill a template's slots is then said by name. Read once a scan; a million items take about 1 GB
    while they are read."""


class EvidenceSettings(_Section):
    """What is kept to show a person."""

    exemplars: bool = True
    """Keep a few redacted, shortened prompts per account and night. Off: no text is kept at all."""

    exemplars_per_account: int = Field(default=3, ge=1, le=20)
    """Three show repetition; a campaign has hundreds of accounts, so its templates get plenty."""

    exemplar_chars: int = Field(default=1_200, ge=80)
    """Long enough to show an instruction on either side of a slot."""


class RetentionSettings(_Section):
    """How long nights are kept."""

    request_nights: int = Field(default=35, ge=1)
    """Narrow request rows are needed for repeats across nights and for histories: five weeks, so that
    each weekday has been seen five times."""


class DetectionSettings(_Section):
    """The policy: what it takes to be flagged, and what is recommended then. The rules are written down in
    [Policy](policy.md); `stillwatch backtest` shows what a change would have done. All log-odds are natural
    logarithms."""

    least_log_odds: float = Field(default=Policy.least_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence that a campaign needs when earlier nights are there to compare with: odds of 150 to one,
    before it is counted how rare campaigns are."""

    first_night_log_odds: float = Field(default=Policy.first_night_log_odds, ge=0, le=MOST_LOG_ODDS)
    """The same on a first night, which can only be compared with itself and forgives a little by that: odds
    of 400."""

    several_nights: int = Field(default=Policy.several_nights, ge=2)
    """Nights from which on a group is also judged by the mean of its evidence: what brings innocent people
    together for a night or two is over by then."""

    mean_log_odds: float = Field(default=Policy.mean_log_odds, ge=0, le=MOST_LOG_ODDS)
    """What this mean must reach, odds of 90, and must stand out with among innocent groups of as many
    nights."""

    false_discovery_rate: float = Field(default=Policy.false_discovery_rate, gt=0, lt=1)
    """Share of the flagged campaigns that may be wrong, in expectation: one in twenty leaves a person's trust
    whole."""

    family_log_odds: float = Field(default=Policy.family_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence from which a family of it counts as independent support, odds of e; a campaign needs two. At 0
    whatever does not speak against counts."""

    medium_log_odds: float = Field(default=Policy.medium_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence for medium confidence, with two families: odds of 650."""

    high_log_odds: float = Field(default=Policy.high_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence for high confidence, with three families: odds of 3,000. Not below `medium_log_odds`."""

    least_reference: int = Field(default=Policy.least_reference, ge=1, le=10_000)
    """Innocent candidates of earlier nights from which on those serve as the reference: of fewer, the tail
    is a guess. Until then every night counts as a first one."""

    low_action: Action = Policy.low_action
    """What is recommended at low confidence: nothing but to keep looking."""

    medium_action: Action = Policy.medium_action
    """At medium confidence: an honest customer passes a check of who they are. Not softer than
    `low_action`."""

    high_action: Action = Policy.high_action
    """At high confidence. Not softer than `medium_action`."""

    first_night_softer: int = Field(default=Policy.first_night_softer, ge=0, le=3)
    """Steps of the ladder (watch, limit, verify, suspend) by which recommendations are softer on a first
    night: its own crowd is all it knows."""

    leave_out: tuple[Part, ...] = Policy.leave_out
    """Parts of the judgement to do without: links of the kind tie nobody together, and its evidence is not
    weighed; without history every night is a first one. For a log in which one of them says nothing, and to
    see what each is worth."""

    @model_validator(mode="after")
    def _in_order(self) -> "DetectionSettings":
        if self.high_log_odds < self.medium_log_odds:
            raise ValueError("high_log_odds is below medium_log_odds")
        rungs = [LADDER.index(step) for step in (self.low_action, self.medium_action, self.high_action)]
        if rungs != sorted(rungs):
            raise ValueError("more confidence would lead to a softer action")
        return self

    def policy(self) -> Policy:
        """The detector's policy with these settings."""
        return Policy(**self.model_dump())


class LoneSettings(_Section):
    """The policy for accounts that are flagged alone: what it takes. The rules are written down in
    [Policy](policy.md#accounts-alone); actions are those of `[detection]`. All log-odds are natural
    logarithms."""

    least_requests: int = Field(default=LonePolicy.least_requests, ge=50)
    """Prompts of a night from which on an account is judged by itself: shares are then known to about 7
    points either way, and the public campaigns' narrow accounts sent 280 to 860."""

    least_log_odds: float = Field(default=LonePolicy.least_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence that a lone extractor needs when earlier nights are there to compare with: odds of 55 to
    one, before it is counted how rare they are."""

    first_night_log_odds: float = Field(default=LonePolicy.first_night_log_odds, ge=0, le=MOST_LOG_ODDS)
    """The same on a first night: odds of 150."""

    several_nights: int = Field(default=LonePolicy.several_nights, ge=2)
    """Nights from which on an account is also judged by the mean of its evidence: what an ordinary customer
    does for a night or two is over by then."""

    mean_log_odds: float = Field(default=LonePolicy.mean_log_odds, ge=0, le=MOST_LOG_ODDS)
    """What this mean must reach, odds of 20, and must stand out with among ordinary accounts of as many
    nights."""

    false_discovery_rate: float = Field(default=LonePolicy.false_discovery_rate, gt=0, lt=1)
    """Share of the accounts flagged alone that may be wrong, in expectation: twice that of campaigns, for
    nearly all of them are only to be watched."""

    family_log_odds: float = Field(default=LonePolicy.family_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence from which a family of it counts as independent support, odds of e; content and one more
    must."""

    medium_log_odds: float = Field(default=LonePolicy.medium_log_odds, ge=0, le=MOST_LOG_ODDS)
    """Evidence for medium confidence, with three families: odds of 1,100. There is no high confidence without
    partners."""

    least_reference: int = Field(default=LonePolicy.least_reference, ge=20, le=10_000)
    """Busy accounts of earlier nights that were not flagged, from which on those serve as the reference.
    Until then every night counts as a first one."""


Technique = Literal[
    "reasoning_trace",
    "preference_labels",
    "instruction_generation",
    "trajectory",
    "safety_rewrite",
    "trace_cleaning",
]
"""What one prompt's text can show of making training material."""


class ApprovedUseSettings(_Section):
    """What an approved use covers, by the name it has in the accounts file. A use without a section covers
    everything: a customer with a contract is not accused on a guess about it."""

    techniques: tuple[Technique, ...] = get_args(Technique)
    """Ways of making training material that were agreed. An account that uses another one for 15 % of its
    requests is flagged, to be watched, where it would be flagged without a contract."""

    many_writers: bool = True
    """Whether its own customers may speak through the account, as a reseller's do. If not, an account that
    would be a relay without a contract is flagged, to be watched."""


class Settings(BaseSettings):
    """All settings of a workspace."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="STILLWATCH_", env_nested_delimiter="__"
    )

    input: InputSettings = InputSettings()
    text: TextSettings = TextSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    retention: RetentionSettings = RetentionSettings()
    detection: DetectionSettings = DetectionSettings()
    lone: LoneSettings = LoneSettings()
    approved_uses: dict[str, ApprovedUseSettings] = {}
    cases_url: str | None = None
    """Database of the case store (SQLAlchemy URL); null is SQLite inside the workspace."""

    def with_formats(self, mappings: Sequence[Path]) -> "Settings":
        """The same settings with these mapping files."""
        read = self.input.model_copy(update={"formats": tuple(mappings)})
        return self.model_copy(update={"input": read})

    def lone_policy(self) -> LonePolicy:
        """The detector's policy for accounts alone, with these settings."""
        return LonePolicy(
            **self.lone.model_dump(),
            low_action=self.detection.low_action,
            medium_action=self.detection.medium_action,
            first_night_softer=self.detection.first_night_softer,
        )


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """Read settings from a TOML file (or defaults, without one).

    Raises
    ------
    UsageError : the file is missing, is not TOML, or holds an unknown or impossible value; the
        message names the setting.
    """

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if path is None:
                return init_settings, env_settings
            return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=path)

    if path is not None and not path.is_file():
        raise UsageError(f"{path}: no such settings file", remedy="check --config, or leave it out")
    try:
        return FromFile(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{path or 'settings'}, {where}: {first['msg']}",
            remedy="docs/reference/settings.md lists every setting with its range",
        ) from None
    except ValueError as error:  # not TOML at all
        raise UsageError(f"{path}: {error}", remedy="the file must be TOML") from None
