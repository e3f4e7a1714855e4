"""Make docs/reference/commands.md and settings.md from the commands and settings themselves.

Run it after changing either: `python tools/make_reference.py`. tests/test_documents.py compares.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines import cli, settings  # noqa: E402

PAGES = ROOT / "docs" / "reference"

COMMANDS_HEAD = """\
# Commands

<!-- Made by tools/make_reference.py from pipelines/cli. -->

Results go to standard output, progress and messages to standard error, so output can be piped. Options
that name the workspace or the settings file may come from the environment instead.

| exit code | meaning |
|---|---|
| 0 | done; also when single rows were refused: they are counted and shown |
| 1 | some input could not be read; everything else was done. `check`: rows would be refused |
| 2 | the command or its settings cannot be followed |
| 3 | another scan holds the workspace |
| 4 | an internal error; details are in the workspace under `logs/errors.jsonl`, or shown with `--debug` |
| 130 | interrupted |

`stillwatch --debug COMMAND`, or `STILLWATCH_DEBUG=1`, shows the traceback of any error. It may quote what was
being read, so do not leave it on where logs are collected.
"""

SETTINGS_HEAD = """\
# Settings

<!-- Made by tools/make_reference.py from pipelines/settings.py. -->

Settings come from environment variables, then from the file given with `--config` or `stillwatch.toml` in the
workspace, then from these defaults. In a file, a section is a TOML table:

```toml
cases_url = "postgresql+psycopg://stillwatch@db.example.com/cases"

[evidence]
exemplars = false
```

In the environment the same settings are `STILLWATCH_CASES_URL` and `STILLWATCH_EVIDENCE__EXEMPLARS`. An
unknown name or an impossible value stops the command with exit code 2 and says which one it is.
"""


def main() -> None:
    (PAGES / "commands.md").write_text(commands_page(), encoding="utf-8")
    (PAGES / "settings.md").write_text(settings_page(), encoding="utf-8")


def commands_page() -> str:
    """Every command with its purpose, options and examples."""
    group: Any = typer.main.get_command(cli.app)
    sections = [_command_section(name, command) for name, command in group.commands.items()]
    return "\n".join([COMMANDS_HEAD, *sections])


def _command_section(name: str, command: Any) -> str:
    rows = [_parameter_row(parameter) for parameter in command.params if not parameter.hidden]
    examples = [line[2:] for line in command.epilog.splitlines() if line.startswith("  ")]
    return "\n".join(
        [
            f"## {name}",
            "",
            inspect.cleandoc(command.help),
            "",
            "| option | values | default | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
            "```sh",
            *examples,
            "```",
            "",
        ]
    )


def _parameter_row(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    name = f"`{parameter.name.upper()}`" if is_argument else ", ".join(f"`{opt}`" for opt in parameter.opts)
    if parameter.envvar:
        name += f" (`{parameter.envvar}`)"
    values = _values(parameter)
    default = "required" if parameter.required else _shown(parameter.default)
    return f"| {name} | {values} | {default} | {parameter.help} |"


def _values(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    if parameter.metavar:
        return str(parameter.metavar).removesuffix("...")
    if get_origin(annotation) is Literal:
        return " \\| ".join(get_args(annotation))
    words = {bool: "flag", int: "number", str: "text", Path: "path", list[Path]: "path, may be repeated"}
    return words[annotation]


def _shown(default: object) -> str:
    if default is None or default is False:
        return ""
    return f"`{default}`"


def settings_page() -> str:
    """Every setting with its default, range and reason."""
    tables = [_settings_table(title, model, prefix) for title, model, prefix in _sections()]
    return "\n".join([SETTINGS_HEAD, *tables])


def _sections() -> Iterator[tuple[str, type[BaseModel], str]]:
    yield "Top level", settings.Settings, ""
    for name, field in settings.Settings.model_fields.items():
        if _is_section(field):
            yield f"[{name}]", field.annotation, f"{name}."  # type: ignore[misc]
            yield from _tables_within(field.annotation, name)  # type: ignore[arg-type]
        elif _is_table(field):
            yield f"[{name}.NAME]", get_args(field.annotation)[1], f"{name}.NAME."


def _tables_within(section: type[BaseModel], name: str) -> Iterator[tuple[str, type[BaseModel], str]]:
    """Lists of tables in a section: `[[input.join]]`."""
    for inner, field in section.model_fields.items():
        if _is_list_of_tables(field):
            yield f"[[{name}.{inner}]]", get_args(field.annotation)[0], f"{name}.{inner}."


def _is_list_of_tables(field: FieldInfo) -> bool:
    of = get_args(field.annotation)
    return get_origin(field.annotation) is tuple and inspect.isclass(of[0]) and issubclass(of[0], BaseModel)


def _is_section(field: FieldInfo) -> bool:
    return inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel)


def _is_table(field: FieldInfo) -> bool:
    """Sections of one kind under names that a deployment chooses."""
    return get_origin(field.annotation) is dict


def _settings_table(title: str, model: type[BaseModel], prefix: str) -> str:
    reasons = _reasons(model)
    rows = [
        f"| `{prefix}{name}` | {_default(field)} | {_range(field)} | {reasons[name]} |"
        for name, field in model.model_fields.items()
        if not _is_section(field) and not _is_table(field)
    ]
    purpose = [inspect.cleandoc(model.__doc__ or ""), ""] if prefix else []
    return "\n".join(
        [
            f"## {title}",
            "",
            *purpose,
            "| setting | default | range | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value in (None, ()):
        return "none"
    if isinstance(value, tuple):
        return "all of them" if value == get_args(get_args(field.annotation)[0]) else ", ".join(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _range(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    if get_origin(field.annotation) is tuple:
        words = get_args(get_args(field.annotation)[0])
        return "tables" if _is_list_of_tables(field) else "any of " + ", ".join(words) if words else "paths"
    bounds = {type(bound): bound for bound in field.metadata}
    low = next((f"from {b.ge}" for t, b in bounds.items() if t is Ge), "")
    low = low or next((f"above {b.gt}" for t, b in bounds.items() if t is Gt), "")
    high = next((f"to {b.le}" for t, b in bounds.items() if t is Le), "")
    high = high or next((f"below {b.lt}" for t, b in bounds.items() if t is Lt), "")
    return " ".join(filter(None, (low, high))) or ("true, false" if field.annotation is bool else "")


def _reasons(model: type[BaseModel]) -> dict[str, str]:
    """The text under each field of the class, which says why the value is what it is."""
    body = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(body, ast.ClassDef)
    reasons: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and is_text:
            reasons[field.target.id] = " ".join(str(text.value.value).split())  # type: ignore[attr-defined]
    return reasons


if __name__ == "__main__":
    main()
