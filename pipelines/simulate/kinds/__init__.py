"""Benign kinds: everybody who is not harvesting, the look-alikes above all.

Here: the register of kinds. A kind is a function of a world, a number of accounts and a random stream
that returns a `Group`; its name is what labels and scenario files call it.
"""

from collections.abc import Callable

from pipelines.simulate.grammar import Rng
from pipelines.simulate.group import Group, World
from pipelines.simulate.kinds import coding, people, programs, suites

Kind = Callable[[World, int, Rng], Group]

BENIGN: dict[str, Kind] = {
    "person_chat": people.person_chat,
    "power_user": people.power_user,
    "enterprise_seats": people.enterprise_seats,
    "classroom": people.classroom,
    "viral_prompt": people.viral_prompt,
    "coding_agent": coding.coding_agent,
    "test_automation": coding.test_automation,
    "single_purpose_app": programs.single_purpose_app,
    "batch_job": programs.batch_job,
    "synthetic_data_customer": programs.synthetic_data_customer,
    "gateway": programs.gateway,
    "evaluation_harness": suites.evaluation_harness,
    "regression_suite": suites.regression_suite,
    "safety_research": suites.safety_research,
}

__all__ = ["BENIGN", "Kind"]
