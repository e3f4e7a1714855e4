"""SQL statements by name, from the files beside this module.

Here: reading `sql/NAME.sql`. Not here: running it, or binding values to it.
"""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """The text of `sql/NAME.sql` (a name may hold a folder: `publish/activity`)."""
    return resources.files("pipelines.warehouse").joinpath("sql", f"{name}.sql").read_text("utf-8")
