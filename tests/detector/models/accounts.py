"""Columns of made-up accounts, as the models read them: plain values, changed where a story needs it."""

import numpy as np

from detector.features import FEATURES

TEXTUAL = {"first_sent_at", "last_sent_at", "hour_counts"}
NUMBERS = [feature.name for feature in FEATURES if feature.name not in TEXTUAL]

PERSON = {
    "n_requests": 40, "n_retries": 0, "input_tokens": 8_000, "output_tokens": 12_000, "active_hours": 7,
    "hour_entropy_bits": 2.5, "busiest_hour_share": 0.3, "longest_pause_h": 9, "median_gap_s": 90,
    "floor_gap_s": 10, "burstiness": 0.5, "n_prompts": 40, "item_novelty": 1, "top_item_share": 0.03,
    "top_capability": 0, "top_capability_share": 0.4, "capability_concentration": 0.3,
    "reasoning_trace_share": 0.02, "preference_labels_share": 0, "instruction_generation_share": 0,
    "trajectory_share": 0, "safety_rewrite_share": 0, "trace_cleaning_share": 0,
    "any_technique_share": 0.02, "n_models": 1, "n_parameter_sets": 1, "top_parameters_share": 1,
    "soft_label_share": 0, "multi_choice_share": 0, "single_turn_share": 0.3, "median_turns": 5,
    "sessions_per_request": 0.2, "tools_share": 0, "output_tokens_mean": 300, "output_ratio": 1.5,
    "length_stop_share": 0.02, "refusal_share": 0.01, "error_share": 0.01, "n_scripts": 1,
    "n_user_agents": 1, "n_clients": 1, "n_api_keys": 1, "n_ips": 2, "n_asns": 1, "n_countries": 1,
    "account_age_days": 200, "nights_seen": 20, "days_since_first_seen": 20, "dormant_days": 0,
    "growth_ratio": 1, "repeat_share": 0, "volume_z": 0, "usual_requests": 40, "most_requests": 60,
    "is_approved": 0,
}  # fmt: skip

JITTERED = (
    "n_requests",
    "output_tokens",
    "input_tokens",
    "median_gap_s",
    "output_tokens_mean",
    "account_age_days",
)


def crowd(n: int, seed: int = 5, **changes: float) -> dict[str, np.ndarray]:
    """`n` accounts alike but for everyday differences; NaN where PERSON and `changes` say nothing."""
    rng = np.random.default_rng(seed)
    plain = PERSON | changes
    columns = {name: np.full(n, plain.get(name, np.nan), float) for name in NUMBERS}
    for name in JITTERED:
        if name not in changes:
            columns[name] = np.round(columns[name] * rng.lognormal(0, 0.4, n))
    columns["n_requests"] = np.maximum(columns["n_requests"], 20 if "n_requests" not in changes else 0)
    columns["active_hours"] = np.clip(columns["active_hours"] + rng.integers(-2, 3, n), 1, 24)
    return columns


def joined(*parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Crowds one after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in NUMBERS}
