"""An evaluation as one page: tables and plots, no script, nothing fetched.

Here: the page. Not here: its tables (world_tables, pool_tables), its plots (plots).

Every text that is put into the page is escaped by the template, and names from labels are made visible first;
the page forbids itself scripts and any address.
"""

from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from pipelines.evaluation.outcome import Outcome
from pipelines.evaluation.plots import plots_of
from pipelines.terminal import visible


def page(scored: Outcome) -> str:
    """The page as text; equal for equal outcomes."""
    tables = list(scored.tables(full=True))
    pages = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    pages.filters["seen"] = visible
    pages.filters["drawn"] = Markup  # matplotlib has escaped what it wrote
    html = resources.files("pipelines.evaluation").joinpath("page.html").read_text("utf-8")
    last = tables.pop()  # what a person remembers stands first on paper, last on a terminal
    return pages.from_string(html).render(
        short=last.note.splitlines(), plots=list(plots_of(scored)), tables=tables
    )
