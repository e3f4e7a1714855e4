"""Labelled traffic: simulated worlds to rehearse on and to measure against.

Here: `simulate` and what a caller needs around it. The rooms inside: scenario (what a world holds),
kinds and campaigns (who does what), texts, grammar, pools and corpus/ (what they say), population,
rhythm and traffic (accounts, times, rows), world (nights on disk).
"""

from pipelines.simulate.scenario import SCALES, Scenario, load_scenario
from pipelines.simulate.world import FIRST_DAY, SimulationSummary, simulate

__all__ = ["FIRST_DAY", "SCALES", "Scenario", "SimulationSummary", "load_scenario", "simulate"]
