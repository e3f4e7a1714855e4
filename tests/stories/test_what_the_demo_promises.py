"""What the demo promises, at its own scale: campaigns found whole and pure, no innocent above `watch`.

Once on the repository's own corpus and once on pools of real prompts, which are read where they are and never
copied.
"""

from pathlib import Path

from village import scan

from pipelines.evaluation import Evaluation, evaluate
from pipelines.simulate import simulate
from pipelines.workspace import Workspace
from tests.pools import POOLS, with_pools

LEAST_COVERAGE, LEAST_PURITY = 0.8, 0.95


def _after_all_nights(folder: Path, prompts: Path | None) -> Evaluation:
    """Simulate the demo's world, scan its nights one by one, compare with the labels."""
    world, workspace = folder / "world", Workspace(folder / "w")
    simulate(world, scale="small", prompts=prompts)
    # Families are found from a sample by keyed hashes: under another key one account more or less may be near
    # enough, and a promise is to be kept or broken the same way every time.
    workspace.create().key_file.write_text("the key of a benchmark\n")
    nights = sorted((world / "logs").iterdir())
    summaries = [scan(workspace, night, accounts=world / "accounts.parquet") for night in nights]
    assert len(nights) >= 3
    assert sum(summary.n_loaded for summary in summaries) >= 60_000
    assert all(summary.n_refused == 0 and not summary.unreadable for summary in summaries)
    return evaluate(workspace, world / "labels.parquet")


def _is_kept(outcome: Evaluation) -> None:
    print(outcome.table())  # what a failure needs first
    assert outcome.campaigns["detected"].all()
    assert outcome.campaigns["coverage"].min() >= LEAST_COVERAGE
    assert outcome.campaigns["purity"].min() >= LEAST_PURITY
    assert outcome.benign_kinds["above_watch"].sum() == 0
    assert outcome.benign_kinds["n_accounts"].sum() + outcome.campaigns["n_accounts"].sum() >= 3_000


def test_the_promise_is_kept_on_our_own_corpus(tmp_path: Path):
    _is_kept(_after_all_nights(tmp_path, None))


@with_pools
def test_the_promise_is_kept_on_real_prompts(tmp_path: Path):
    _is_kept(_after_all_nights(tmp_path, POOLS))
