"""Labelled traffic: simulated worlds to rehearse on and to measure against.

Here: `simulate` and what a caller needs around it. The rooms inside: scenario and spec (what a world holds),
kinds, campaigns and evasions (who does what), texts (what they say), population, rhythm, shapes and traffic
(accounts, times, sizes, rows), bans (enforcement), world and files (nights on disk).
"""

from pipelines.simulate.scenario import SCALES, Scenario, load_scenario
from pipelines.simulate.world import FIRST_DAY, SimulationSummary, simulate

__all__ = ["FIRST_DAY", "SCALES", "Scenario", "SimulationSummary", "load_scenario", "simulate"]
