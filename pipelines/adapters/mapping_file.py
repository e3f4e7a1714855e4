"""What a mapping file may say, as TOML.

Here: the entries and their types. Not here: what they mean (`mapping`), how the file is explained
(docs/how-to/own-format.md).
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.adapters.source import Level


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedField(_Part):
    """A value of the log with a name, for expressions to speak of."""

    path: str
    kind: Literal["text", "json"] = Field(default="text", alias="as")


class Expression(_Part):
    """A column that is computed."""

    sql: str


class Clues(_Part):
    """What tells the format apart: all of it must hold for a record. `path=value` asks for the value, too."""

    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class BodyPaths(_Part):
    """Where OpenAI's or Anthropic's bodies lie."""

    request: str | None = None
    response: str | None = None


class MappingFile(_Part):
    """The whole file."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str | None = None
    account: tuple[Level, ...] = ("account", "key", "project", "organisation")
    is_request: str = "true"
    told_by: tuple[Clues, ...] = ()
    ignores: tuple[str, ...] = ()
    bodies: BodyPaths = BodyPaths()
    fields: dict[str, str | NamedField] = {}
    columns: dict[str, str | Expression]
