"""A pool of accounts is shut, and its operator comes back with other accounts and other words."""

import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
from village import FIRST, SECOND, Village, changed, flagged_in, scan

from pipelines import findings
from pipelines.workspace import Workspace

BEFORE = """You are given a question from our collection. First think about it carefully, one step after
another, and write down every step of your reasoning in full sentences. Check your work before you finish.
Then give the final answer on a line of its own.

Question: {}

Remember to show all intermediate steps, and do not skip any calculation."""

AFTER = """Here is one more question of our collection: {}

Do not skip any calculation and remember to show the intermediate steps. Check the work before finishing. Give
on a line of its own the final answer. But first, in full sentences, write down carefully every step of the
reasoning, one after another."""

UNLIKE = """Write the opening scene of a play about two neighbours who quarrel over this: {}

Keep to the present tense, give each of them a habit, and let the curtain fall before either is right. Name
the scene after what they quarrel about, and add a note for whoever paints the set."""

OTHERS = 160
"""Other templates of the night: words are told apart by how unlike templates usually are, and a handful shows
nothing."""


def at_work(village: Village, wording: str, pool: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The campaign's accounts as another pool, with their work in these words; and a crowd with templates of
    its own. Every item is asked once, on one night."""
    is_kiln = pl.col("account_id").is_in(list(village.kiln))

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        chance = random.Random(pool)
        prompts = rows.filter(~is_kiln)["prompt"].drop_nulls().unique().sort().to_list()
        vocabulary = sorted({word for text in prompts for word in text.split() if word.isalpha()})
        crowd = _crowd(rows, prompts, vocabulary)
        renamed = {
            name: pl.when(is_kiln).then(pl.lit(pool) + pl.col(name)).otherwise(name)
            for name in ("account_id", "ip", "client_fingerprint")
        }
        worded = pl.Series(
            [wording.format(" ".join(chance.sample(vocabulary, 30))) for _ in range(len(rows))]
        )
        return pl.concat(
            [
                rows.with_columns(
                    prompt=pl.when(is_kiln).then(worded).otherwise("prompt"),
                    system_prompt=pl.when(is_kiln).then(None).otherwise("system_prompt"),
                    **renamed,
                ),
                crowd,
            ]
        )

    return change


def _crowd(rows: pl.DataFrame, prompts: list[str], vocabulary: list[str]) -> pl.DataFrame:
    """Companies whose five seats send three requests each from a template of the company's."""
    chance = random.Random(3)
    openings = sorted({" ".join(text.split()[:60]) for text in prompts if len(text.split()) >= 25})
    like = rows.filter(pl.col("prompt").is_not_null()).row(0, named=True)
    like |= dict.fromkeys(("session_id", "client_fingerprint", "system_prompt"))
    crowd = [
        like
        | {
            "request_id": f"crowd-{company}-{seat}-{n}-{like['ts']}",
            "account_id": f"seat-{company}-{seat}",
            "org_id": f"org-{company}",
            "ip": f"10.{company}.0.{seat}",
            "prompt": f"{opening}: {' '.join(chance.sample(vocabulary, 12))}",
        }
        for company, opening in enumerate(chance.sample(openings, OTHERS))
        for seat in range(5)
        for n in range(3)
    ]
    return pl.DataFrame(crowd, schema=rows.schema)


def two_nights(village: Village, workspace: Workspace, folder: Path, later: str) -> tuple[str, str]:
    """The campaign's id on the night of the first wording and on the night of a later one."""
    for night, wording, pool in ((FIRST, BEFORE, "old-"), (SECOND, later, "new-")):
        scan(workspace, *changed(village, folder / pool, at_work(village, wording, pool), [night]))
    ((before, old_pool),) = flagged_in(workspace, FIRST).items()
    ((after, new_pool),) = flagged_in(workspace, SECOND).items()
    assert all(name.startswith("old-") for name in old_pool)
    assert all(name.startswith("new-") for name in new_pool)
    assert n_common_templates(workspace, before, after) == 0
    return before, after


def n_common_templates(workspace: Workspace, before: str, after: str) -> int:
    """Templates that the campaign of the first night has in common with that of the second."""
    lived_on = [
        set(
            findings.campaign_nights(workspace, name)
            .filter(pl.col("day") == night)
            .get_column("families")
            .explode()
        )
        for name, night in ((before, FIRST), (after, SECOND))
    ]
    return len(lived_on[0] & lived_on[1])


def test_a_pool_made_anew_with_a_reworded_template_keeps_the_name(
    village: Village, workspace: Workspace, tmp_path: Path
):
    """No account, address, item or template is the same: only how its instruction is worded leads back."""
    before, after = two_nights(village, workspace, tmp_path, AFTER)
    assert before == after
    history = findings.history(workspace, after)
    assert history.filter(pl.col("day") == SECOND)["event"].to_list() == ["replaced", "steady"]
    renewed = history.row(0, named=True)
    assert min(renewed["n_accounts"], renewed["n_stopped"]) > 30


def test_another_operators_template_does_not_inherit_the_name(
    village: Village, workspace: Workspace, tmp_path: Path
):
    before, after = two_nights(village, workspace, tmp_path, UNLIKE)
    assert before != after
    assert findings.history(workspace, before)["event"].to_list() == ["dormant", "new"]
    assert findings.history(workspace, after)["event"].to_list() == ["new"]
