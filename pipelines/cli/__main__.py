"""`python -m pipelines.cli`: the `stillwatch` command where it is not installed."""

from pipelines.cli.program import main

main()
