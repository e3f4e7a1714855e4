"""Benign kinds: everybody who is not harvesting, the look-alikes above all.

Here: the register of kinds and their generators. A generator is a function of a world, a number of accounts
and a random stream that returns a `Group`; labels and scenario files call it by the names given here. A kind
has several, so that no figure rests on one author's idea of it.
"""

from collections.abc import Callable

from pipelines.simulate.grammar import Rng
from pipelines.simulate.group import Group, World
from pipelines.simulate.kinds import coding, people, programs, suites

Generator = Callable[[World, int, Rng], Group]

BENIGN: dict[str, dict[str, Generator]] = {
    "person_chat": {"person_chat": people.person_chat},
    "power_user": {"power_user": people.power_user},
    "enterprise_seats": {"enterprise_seats": people.enterprise_seats},
    "classroom": {"classroom": people.classroom},
    "viral_prompt": {"viral_prompt": people.viral_prompt},
    "coding_agent": {"coding_agent": coding.coding_agent},
    "test_automation": {"test_automation": coding.test_automation},
    "single_purpose_app": {"single_purpose_app": programs.single_purpose_app},
    "batch_job": {"batch_job": programs.batch_job},
    "synthetic_data_customer": {"synthetic_data_customer": programs.synthetic_data_customer},
    "gateway": {"gateway": programs.gateway},
    "evaluation_harness": {"evaluation_harness": suites.evaluation_harness},
    "regression_suite": {"regression_suite": suites.regression_suite},
    "safety_research": {"safety_research": suites.safety_research},
}

__all__ = ["BENIGN", "Generator"]
