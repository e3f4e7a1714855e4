"""Which hypotheses fall, read aloud: slow on purpose, and the authority in a dispute."""

from collections.abc import Sequence


def rejected_slow(p_values: Sequence[float], rate: float) -> list[bool]:
    """Benjamini and Hochberg: everything up to the largest p-value that lies under its own line."""
    n = len(p_values)
    under = [p for p in p_values if p <= rate * sum(other <= p for other in p_values) / n]
    return [p <= max(under, default=-1.0) for p in p_values]
