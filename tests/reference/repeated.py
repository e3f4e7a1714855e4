"""Own repeated texts, slow: sets of shingles, counted one by one. The authority in a dispute."""

from collections import Counter


def repeated_slow(
    texts: list[set[int]], owners: list[int], units: list[int], least_share: float, least_units: int
) -> set[tuple[int, int]]:
    """(owner, shingle) pairs that stand in enough of the owner's units; units below 0 do not count."""
    of_unit: dict[int, tuple[int, set[int]]] = {}
    for text, owner, unit in zip(texts, owners, units, strict=True):
        if unit >= 0:
            of_unit.setdefault(unit, (owner, set()))[1].update(text)
    n_units = Counter(owner for owner, _ in of_unit.values())
    holding = Counter((owner, shingle) for owner, text in of_unit.values() for shingle in text)
    return {
        (owner, shingle)
        for (owner, shingle), n in holding.items()
        if n >= max(least_share * n_units[owner], least_units)
    }
