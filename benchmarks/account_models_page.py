"""docs/reference/account-models.md from the figures of many worlds.

Here: averages over worlds, what is better than what beyond noise, and the page. Not here: the figures
(account_operating_points), the runs (account_models).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import isnan
from statistics import mean, stdev

from account_operating_points import RATES, Figures

CHOSEN = "mean of tails and isolation"
"""What the product combines (detector.models.scoring.MODELS)."""

MOST_PAIRS = 12
NAMES = {0.01: "1 %", 0.001: "0.1 %", 0.0001: "0.01 %"}

HEAD = """# Account models

How well each detector tells accounts of campaigns from others, one account at a time, among its peers. An
account's score is supporting evidence: it adds a little to what is known of a group, orders single accounts,
and says what is unusual about one. It never convicts.

Made by

```sh
python benchmarks/account_models.py --seeds 3 --prompts ../shared/pools
```

on simulated worlds of the `tune` split ([account_models.toml](../../benchmarks/account_models.toml): twelve
campaigns, of which five lone extractors and three relays, among about 20,000 accounts with more look-alikes
than usual). Every detector is given the same numbers: one-sided suspicion, 0 for usual or unknown, within
peer groups, fitted on tonight and on earlier nights' ordinary accounts together. Two nights only calibrate;
the rest is judged, an account once per night.
[Why these two models](../decisions/0072-account-models-by-measurement.md).

- **per campaign**: share of accounts found when that share of ordinary accounts is flagged, averaged over
  campaigns, each counting alike; **merit** is its mean over the three rates. The choice is made by it.
- **worst kind**: of the ordinary kinds, the one with the largest share flagged at that rate.
- **explained**: of the highest scores, how far the four reasons shown account for them: the part of the way
  down to the usual that making just these features usual goes, by the detector's own reckoning.
- **seconds**, **MB**: a night's fit and scores on one thread; the most memory for the largest peer group.
"""


def page(found: Sequence[Figures]) -> str:
    """The page."""
    by_name: dict[str, list[Figures]] = defaultdict(list)
    for figures in found:
        by_name[figures.name].append(figures)
    worlds = sorted({(figures.texts, figures.seed) for figures in found})
    lines = [HEAD, f"Worlds: {', '.join(f'{texts} {seed}' for texts, seed in worlds)}.", ""]
    singles = {name: rows for name, rows in by_name.items() if " of " not in name}
    pairs = {name: rows for name, rows in by_name.items() if " of " in name}
    ranked = sorted(singles, key=lambda name: -merit(singles[name]))
    best = sorted(pairs, key=lambda name: -merit(pairs[name]))[:MOST_PAIRS]
    if CHOSEN in pairs and CHOSEN not in best:
        best.append(CHOSEN)
    lines += ["## One detector", "", *_table(singles, ranked, by_name), ""]
    lines += ["## Two together", "", f"The best of {len(pairs)} pairs and rules.", ""]
    lines += [*_table(pairs, best, by_name), ""]
    lines += ["## Whom they wrong", "", *_wronged({**singles, **pairs}, [*ranked, *best[:3], CHOSEN])]
    return "\n".join(lines).rstrip() + "\n"


def merit(rows: Sequence[Figures]) -> float:
    """Mean over worlds and rates of the share found per campaign."""
    return mean(_merit(row) for row in rows)


def _merit(row: Figures) -> float:
    return mean(point.per_campaign for point in row.points)


def against(rows: Sequence[Figures], others: Sequence[Figures]) -> tuple[float, float]:
    """Mean difference in merit over the worlds both were measured in, and two standard errors of it."""
    theirs = {(row.texts, row.seed): _merit(row) for row in others}
    apart = [_merit(row) - theirs[row.texts, row.seed] for row in rows if (row.texts, row.seed) in theirs]
    return mean(apart), 2 * stdev(apart) / len(apart) ** 0.5 if len(apart) > 1 else float("inf")


def _table(
    of: dict[str, list[Figures]], names: Sequence[str], by_name: dict[str, list[Figures]]
) -> Iterator[str]:
    rates = [NAMES[rate] for rate in RATES]
    heads = ["", "merit", "against chosen", "AUC", "AP", *(f"per campaign at {rate}" for rate in rates)]
    heads += [*(f"lone at {rate}" for rate in rates[:2]), *(f"relays at {rate}" for rate in rates[:2])]
    heads += ["explained", "seconds", "MB"]
    yield "| " + " | ".join(heads) + " |"
    yield "|---|" + "---:|" * (len(heads) - 1)
    for name in names:
        rows = of[name]
        explained = mean(row.explained for row in rows)
        cells = [f"{merit(rows):.3f}", _against(name, rows, by_name), f"{mean(r.auc for r in rows):.3f}"]
        cells.append(f"{mean(r.average_precision for r in rows):.3f}")
        cells += [f"{mean(row.points[at].per_campaign for row in rows):.1%}" for at in range(len(RATES))]
        cells += [f"{mean(row.points[at].lone for row in rows):.0%}" for at in range(2)]
        cells += [f"{mean(row.points[at].relay for row in rows):.0%}" for at in range(2)]
        cells += [f"{explained:.0%}" if not isnan(explained) else ""]
        cells += [f"{mean(row.seconds for row in rows):.1f}", f"{mean(row.peak_mb for row in rows):,.0f}"]
        yield f"| {f'**{name}**' if name == CHOSEN else name} | " + " | ".join(cells) + " |"


def _against(name: str, rows: Sequence[Figures], by_name: dict[str, list[Figures]]) -> str:
    if name == CHOSEN or CHOSEN not in by_name:
        return ""
    apart, noise = against(rows, by_name[CHOSEN])
    return f"{apart:+.3f} ± {noise:.3f}"


def _wronged(of: dict[str, list[Figures]], names: Sequence[str]) -> Iterator[str]:
    yield "| | " + " | ".join(f"worst kind at {NAMES[rate]}" for rate in RATES) + " |"
    yield "|---|" + "---|" * len(RATES)
    for name in dict.fromkeys(name for name in names if name in of):
        cells = []
        for at in range(len(RATES)):
            worst = Counter(row.points[at].worst_kind for row in of[name]).most_common(1)[0][0]
            share = mean(row.points[at].worst_share for row in of[name] if row.points[at].worst_kind == worst)
            cells.append(f"{worst.replace('_', ' ')}, {share:.1%}")
        yield f"| {name} | " + " | ".join(cells) + " |"
