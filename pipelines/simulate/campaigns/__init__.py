"""Campaign kinds: operators who harvest through many accounts.

Here: the register of campaign kinds. Inside: what kinds differ in (harvests, fronts, techniques), in which
terms (plan, profiles), and what they share (set_up, operation and its roster, ledger, dispatch, cover). The
figures behind them are those of public reports: docs/reference/simulation-campaigns.md.
Not here: which campaigns a world has (scenario), how they hide (evasions).
"""

from collections.abc import Callable

from pipelines.simulate.campaigns import fronts, harvests, techniques
from pipelines.simulate.group import Group, World
from pipelines.simulate.spec import CampaignSpec
from pipelines.simulate.texts.grammar import Rng

CampaignKind = Callable[[World, CampaignSpec, Rng], Group]

CAMPAIGNS: dict[str, CampaignKind] = {
    "synchronised": harvests.synchronised,
    "multi_path": fronts.multi_path,
    "pivot": fronts.pivot,
    "hydra": fronts.hydra,
    "low_and_wide": harvests.low_and_wide,
    "high_and_narrow": harvests.high_and_narrow,
    "burst": harvests.burst,
    "relay": fronts.relay,
    "probe_sweep": techniques.probe_sweep,
    "multi_sample": techniques.multi_sample,
    "soft_labels": techniques.soft_labels,
    "weakness_driven": techniques.weakness_driven,
    "trace_cleaning": techniques.trace_cleaning,
    "lone_extractor": harvests.lone_extractor,
    "shared_pool": fronts.shared_pool,
    "multilingual": harvests.multilingual,
}

__all__ = ["CAMPAIGNS", "CampaignKind"]
