"""The `stillwatch` command: parse, call one function, show what came of it.

Here: options, exit codes, and which function each command calls: a module a group of commands (simulated,
nights, results, casework), what they share (options), errors (invocation), the whole (program). Not here: any
work, nor how things look on a screen (terminal, summary). A command imports what it runs, so that `--help`
and mistakes are answered at once: scikit-learn and numba alone take seconds.

Results go to standard output, messages to standard error. Exit codes: 0 done, 1 some input could
not be read (the rest was done), 2 usage or configuration, 3 another scan holds the workspace,
4 internal error, 130 interrupted.
"""

from pipelines.cli.program import app, main
from pipelines.cli.simulated import Scale

__all__ = ["Scale", "app", "main"]
