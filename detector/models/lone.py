"""Single accounts that are findings of their own: one big extractor without partners, and a relay.

Here: two strict rules, each with its evidence families and the reasons a person reads, and the same for whom
a contract covers in part. Not here: campaigns (detector.campaigns), whose evidence is far stronger; which
accounts a campaign already explains.

A rule fires on the agreement of independent evidence families, never on one of them, and what is unknown is
never evidence. An evaluation run, a judge of one's own product or a gateway trips one or two families; the
separators are in the rules. The answer is `watch`, or `verify` where everything agrees: one account has no
partners to corroborate it, and a wrong ban costs a customer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detector.features import FEATURES, Feature
from detector.models.base import Float64
from detector.models.scoring import Range, readable_range

Columns = Mapping[str, Float64]
Mask = npt.NDArray[np.bool_]

TRAINING_TECHNIQUES = (
    "reasoning_trace_share",
    "preference_labels_share",
    "instruction_generation_share",
    "trajectory_share",
    "safety_rewrite_share",
    "trace_cleaning_share",
)

EXTRACTOR_REQUESTS = 500
"""A person's or a trial's day is smaller; the public campaigns' narrow accounts made 700 to 900 a day."""

RELAY_REQUESTS = 300
"""Below this, some languages and programs in one account may be a team trying things out."""

FEATURE_BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}


LEVELS = (("low", "watch"), ("medium", "watch"), ("medium", "verify"))
"""Confidence and action of a finding whose evidence is enough, is strong, or agrees in everything."""


@dataclass(frozen=True, slots=True)
class _Night:
    columns: Columns
    groups: npt.NDArray[np.generic]
    usual: dict[tuple[str, object], Range] = field(default_factory=dict)
    """By feature and peer group, as far as asked: a thousand findings of a group share one."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: what, how much, and what the account's peers do."""

    code: str
    detail: str
    value: float
    usual_range: str


@dataclass(frozen=True, slots=True)
class LoneFinding:
    """One account that is a finding by itself."""

    row: int
    """Position of the account in the columns the rule was given."""
    profile: str
    """`lone extractor`, `relay` or `beyond approval`."""
    confidence: str
    """low or medium: high needs what only a campaign can show."""
    recommended_action: str
    """watch or verify."""
    reasons: tuple[Reason, ...]


def lone_extractors(columns: Columns, groups: npt.NDArray[np.generic], p_value: Float64) -> list[LoneFinding]:
    """Accounts that look like one big extractor without partners.

    Parameters
    ----------
    columns : float64 arrays of shape (n_accounts,), one per number column of night.account_day; NaN unknown
    groups : shape (n_accounts,), peer group of each account: volume is compared within it
    p_value : float64, shape (n_accounts,), of the account score

    All must hold:

    content    at least 60 % of 500 or more prompts use a technique that makes training data, and the
               items are new (a test suite repeats them, on the same night or the next)
    volume     more requests or more output than 99 % of the peers
    and two of: around the clock; a young account, a leap or a rush to a new model; probabilities or many
               choices; two techniques side by side (a product needs one, a data factory several)

    An approved use that is valid on the day, and answers of a few tokens (classification, extraction),
    rule an account out.
    """
    c = columns
    content = _training_share(c) >= 0.6
    fresh = (c["item_novelty"] >= 0.8) & ~(c["repeat_share"] > 0.2)
    enough = (c["n_prompts"] >= EXTRACTOR_REQUESTS) & (c["n_requests"] >= EXTRACTOR_REQUESTS)
    long_answers = ~(c["output_tokens_mean"] < 64)  # a grade with its reason is longer, a label is not
    volume = _above_peers(c["n_requests"], groups) | _above_peers(c["output_tokens"], groups)
    families = {
        "active_hours": (c["active_hours"] >= 20) & (c["hour_entropy_bits"] >= 4.2),
        "account_age_days": (c["account_age_days"] <= 14)
        | (c["volume_z"] >= 4)
        | (c["new_model_share"] >= 0.5),
        "soft_label_share": (c["soft_label_share"] >= 0.5) | (c["multi_choice_share"] >= 0.5),
        "any_technique_share": _n_techniques(c) >= 2,
    }
    n_families = np.sum(list(families.values()), axis=0)
    found = content & fresh & enough & long_answers & volume & ~_approved(c) & (n_families >= 2)
    certain = (
        (n_families >= 3) & (_training_share(c) >= 0.9) & (c["repeat_share"] <= 0.05) & (p_value <= 0.005)
    )
    level = np.where(certain, 2, n_families >= 3)
    night = _Night(columns, groups)
    return [
        _finding(row, "lone extractor", int(level[row]), _shown_of_extractor(row, c, families), night)
        for row in np.flatnonzero(found).tolist()
    ]


def relays(columns: Columns, groups: npt.NDArray[np.generic]) -> list[LoneFinding]:
    """Accounts through which many unrelated writers speak, under one injected extraction instruction.

    Parameters: as `lone_extractors`. All must hold:

    writers    prompts in four or more scripts, and many end users, or sessions that hardly ever continue
    products   five or more system prompts, sets of tools or programs: one product has one of each
    content    at least 60 % of 300 or more prompts, all different, ask for written-out reasoning or roll-outs

    An approved use that is valid on the day (a reseller's contract) rules an account out. A gateway
    without a contract has the writers and the products, but no instruction in every request.
    """
    c = columns
    enough = (c["n_prompts"] >= RELAY_REQUESTS) & (c["n_requests"] >= RELAY_REQUESTS)
    writers = (c["n_scripts"] >= 4) & ((c["n_end_users"] >= 20) | (c["sessions_per_request"] >= 0.5))
    products = (c["n_systems"] >= 5) | (c["n_toolsets"] >= 5) | (c["n_user_agents"] >= 5)
    instruction = np.nan_to_num(c["reasoning_trace_share"]) + np.nan_to_num(c["trajectory_share"])
    content = (instruction >= 0.6) & (c["item_novelty"] >= 0.8) & ~(c["repeat_share"] > 0.2)
    found = enough & writers & products & content & ~_approved(c)
    one_template = c["top_family_share"] >= 0.8
    certain = one_template & (instruction >= 0.9) & (c["n_scripts"] >= 6) & (c["n_systems"] >= 20)
    level = np.where(certain, 2, one_template)
    shown = ("n_scripts", "n_end_users", "n_systems", "n_toolsets", "n_user_agents", "top_family_share")
    night = _Night(columns, groups)
    return [
        _finding(row, "relay", int(level[row]), [*_techniques_of(c, row), *shown], night)
        for row in np.flatnonzero(found).tolist()
    ]


def beyond_approval(
    columns: Columns,
    groups: npt.NDArray[np.generic],
    p_value: Float64,
    *,
    covered: Mask,
    covers_writers: Mask,
    carriers: Mask,
) -> list[LoneFinding]:
    """Accounts with an approved use that do what it does not cover. In order of rows, at low confidence.

    Parameters
    ----------
    columns, groups, p_value : as `lone_extractors`
    covered : bool, shape (n_accounts, n_techniques), columns in the order of TRAINING_TECHNIQUES
    covers_writers : bool, shape (n_accounts,): many writers through it are what was agreed
    carriers : bool, shape (n_accounts,): works with what holds a campaign together that is flagged

    An account is judged only where it would be a lone extractor or a relay without its approval, or carries
    a campaign. Beyond the approval is then a technique of 15 % of its requests that is not covered, or the
    relay itself. The answer is `watch`: who knows the contract has to read it.
    """
    approved = _approved(columns)
    if not approved.any():
        return []
    as_if = {**columns, "is_approved": np.zeros(len(approved))}
    relayed = {finding.row for finding in relays(as_if, groups)}
    judged = relayed | {finding.row for finding in lone_extractors(as_if, groups, p_value)}
    judged |= set(np.flatnonzero(carriers).tolist())
    night = _Night(columns, groups)
    found = []
    for row in sorted(row for row in judged if approved[row]):
        beyond = [
            name for name in _techniques_of(columns, row) if not covered[row, TRAINING_TECHNIQUES.index(name)]
        ]
        if row in relayed and not covers_writers[row]:
            beyond += ["n_scripts", "n_end_users", "n_systems"]
        if beyond:
            found.append(_finding(row, "beyond approval", 0, [*beyond, "n_requests"], night))
    return found


def _training_share(c: Columns) -> Float64:
    """Share of requests with a technique that makes training data; NaN without prompts."""
    total = np.sum([c[name] for name in TRAINING_TECHNIQUES], axis=0)
    return np.asarray(total, np.float64)


def _n_techniques(c: Columns) -> npt.NDArray[np.int64]:
    return np.asarray(np.sum([c[name] >= 0.15 for name in TRAINING_TECHNIQUES], axis=0), np.int64)


def _techniques_of(c: Columns, row: int) -> list[str]:
    """The techniques an account really uses, most used first."""
    used = [name for name in TRAINING_TECHNIQUES if c[name][row] >= 0.15]
    return sorted(used, key=lambda name: -float(c[name][row]))


def _approved(c: Columns) -> Mask:
    return np.asarray(c["is_approved"] == 1, np.bool_)


def _above_peers(values: Float64, groups: npt.NDArray[np.generic]) -> Mask:
    """Which accounts exceed the 99th percentile of their peer group (an observed value)."""
    out = np.zeros(len(values), np.bool_)
    for group in np.unique(groups):
        members = np.flatnonzero((groups == group) & np.isfinite(values))
        # among fewer than 100 the largest is no more than the largest
        if len(members) >= 100:
            out[members] = values[members] >= np.quantile(values[members], 0.99, method="inverted_cdf")
    return out


def _shown_of_extractor(row: int, c: Columns, families: Mapping[str, Mask]) -> list[str]:
    """Columns that show why an extractor was found: content, volume, then the families that hold."""
    codes = [*_techniques_of(c, row), "n_requests", "output_tokens", "item_novelty", "repeat_share"]
    if families["active_hours"][row]:
        codes.append("active_hours")
    if families["account_age_days"][row]:
        codes += [
            name
            for name, holds in (
                ("account_age_days", c["account_age_days"][row] <= 14),
                ("volume_z", c["volume_z"][row] >= 4),
                ("new_model_share", c["new_model_share"][row] >= 0.5),
            )
            if holds
        ]
    if families["soft_label_share"][row]:
        codes += [name for name in ("soft_label_share", "multi_choice_share") if c[name][row] >= 0.5]
    return codes


def _finding(row: int, profile: str, level: int, codes: Sequence[str], night: _Night) -> LoneFinding:
    confidence, action = LEVELS[level]
    reasons = tuple(_reason(name, row, night) for name in codes if np.isfinite(night.columns[name][row]))
    return LoneFinding(row, profile, confidence, action, reasons)


def _reason(name: str, row: int, night: _Night) -> Reason:
    feature, values = FEATURE_BY_NAME[name], night.columns[name]
    asked = name, night.groups[row]
    if asked not in night.usual:
        known = values[(night.groups == night.groups[row]) & np.isfinite(values)]
        low, high = np.quantile(known, (0.05, 0.95), method="inverted_cdf")
        night.usual[asked] = Range(float(low), float(high))
    return Reason(name, feature.meaning, float(values[row]), readable_range(night.usual[asked], feature))
