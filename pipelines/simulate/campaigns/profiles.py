"""What the accounts of an operator have in common: young, in many countries, at home networks.

Here: the usual account, from which kinds depart. Not here: how accounts are drawn (population).
"""

from pipelines.simulate.population import Profile

USUAL = Profile(
    kind="campaign",
    age_days=(2, 60),
    clients=("sdk",),
    addresses=(1, 3),
    plans=(("api", 0.7), ("plus", 0.3)),
    verified=0.3,
    system=0.1,
    temperatures=(0.7, 0.7, 1.0, None),
    max_tokens=(4_096, 4_096, 8_192, None),
    sessions=0.3,
    moves=0.3,
)
"""`set_up` adds kind, name, regime and evasions."""

EAST = ("US", "SG", "JP", "HK", "TW", "DE", "GB", "KZ", "AE", "CA")
"""Where the pools of the record mostly appeared to sit, and big markets to hide among."""
