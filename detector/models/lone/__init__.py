"""Single accounts that are findings of their own: one big extractor without partners, a relay of many
products' requests, and whom a contract covers in part.

Here: findings (what is said), surprise (what a value is worth), evidence (what is asked of an account),
decision (what convicts), relay, approval. Not here: campaigns (detector.campaigns), whose evidence is far
stronger; which accounts a campaign already explains.

An account is flagged on the agreement of independent evidence, never on one piece of it, and what is
unknown is never evidence. One account has no partners to corroborate it, and a wrong ban costs a customer.
"""

from detector.models.lone.approval import beyond_approval
from detector.models.lone.decision import LonePolicy, Verdicts, decide, extractors
from detector.models.lone.evidence import Evidence, weigh
from detector.models.lone.findings import (
    TRAINING_TECHNIQUES,
    LoneFinding,
    Reason,
    is_approved,
    technique_share,
)
from detector.models.lone.relay import (
    COLUMNS,
    LEAST_PRODUCTS,
    PUBLIC_ORGANISATIONS,
    AddedText,
    Public,
    PublicTexts,
    added_text,
    adds_text,
    relays,
)
from detector.models.lone.surprise import Peers

__all__ = [
    "COLUMNS",
    "LEAST_PRODUCTS",
    "PUBLIC_ORGANISATIONS",
    "TRAINING_TECHNIQUES",
    "AddedText",
    "Evidence",
    "LoneFinding",
    "LonePolicy",
    "Peers",
    "Public",
    "PublicTexts",
    "Reason",
    "Verdicts",
    "added_text",
    "adds_text",
    "beyond_approval",
    "decide",
    "extractors",
    "is_approved",
    "relays",
    "technique_share",
    "weigh",
]
