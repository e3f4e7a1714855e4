"""Benign kinds: everybody who is not harvesting, the look-alikes above all.

Here: the register of kinds and their generators. A generator is a function of a world, a number of accounts
and a random stream that returns a `Group`; labels and scenario files call it by the names given here. A kind
has several, so that no figure rests on one author's idea of it.
"""

from collections.abc import Callable, Mapping

from pipelines.simulate.group import Group, World
from pipelines.simulate.kinds.apps import SINGLE_PURPOSE_APP
from pipelines.simulate.kinds.batches import BATCH_JOB
from pipelines.simulate.kinds.classroom import CLASSROOM
from pipelines.simulate.kinds.coding import CODING_AGENT
from pipelines.simulate.kinds.gateways import GATEWAY
from pipelines.simulate.kinds.harnesses import EVALUATION_HARNESS
from pipelines.simulate.kinds.movers import NEW_MODEL_MOVER
from pipelines.simulate.kinds.orchestration import AGENT_ORCHESTRATION
from pipelines.simulate.kinds.people import PERSON_CHAT
from pipelines.simulate.kinds.power import POWER_USER
from pipelines.simulate.kinds.regression import REGRESSION_SUITE
from pipelines.simulate.kinds.resellers import SHADOW_API_USER
from pipelines.simulate.kinds.safety import SAFETY_RESEARCH
from pipelines.simulate.kinds.seats import ENTERPRISE_SEATS
from pipelines.simulate.kinds.synthetic import SYNTHETIC_DATA_CUSTOMER
from pipelines.simulate.kinds.testing import TEST_AUTOMATION
from pipelines.simulate.kinds.viral import VIRAL_PROMPT
from pipelines.simulate.texts.grammar import Rng

Generator = Callable[[World, int, Rng], Group]

BENIGN: Mapping[str, Mapping[str, Generator]] = {
    "person_chat": PERSON_CHAT,
    "power_user": POWER_USER,
    "enterprise_seats": ENTERPRISE_SEATS,
    "classroom": CLASSROOM,
    "viral_prompt": VIRAL_PROMPT,
    "new_model_mover": NEW_MODEL_MOVER,
    "coding_agent": CODING_AGENT,
    "agent_orchestration": AGENT_ORCHESTRATION,
    "test_automation": TEST_AUTOMATION,
    "single_purpose_app": SINGLE_PURPOSE_APP,
    "batch_job": BATCH_JOB,
    "synthetic_data_customer": SYNTHETIC_DATA_CUSTOMER,
    "gateway": GATEWAY,
    "shadow_api_user": SHADOW_API_USER,
    "evaluation_harness": EVALUATION_HARNESS,
    "regression_suite": REGRESSION_SUITE,
    "safety_research": SAFETY_RESEARCH,
}

RARITY: Mapping[tuple[str, str], float] = {("single_purpose_app", "big_app"): 0.04}
"""How often a generator is met, unless as often as its siblings: one application in a hundred is big."""

__all__ = ["BENIGN", "RARITY", "Generator"]
