"""Findings against labels: what a monitor catches, how soon and how wholly, and whom it wrongs.

Here: the figures of `stillwatch evaluate`, for a workspace or for any detector's flags. Not here: making
labelled traffic (simulate), reading the snapshot (findings). Every figure is defined at the head of the
module that computes it, and in docs/reference/evaluation.md:

    material     who counts, and what a finding holds          matching    campaigns and their findings
    recall       found campaigns by sort, and delays           wronged     false flags by sort of account
    accounts     precision and recall                          bcubed      findings as a division of accounts
    emergence    pools made anew after a ban                   churn       from night to night, scan to scan
    discoveries  each finding, true or false                   seeds       many worlds pooled
    intervals    how sure a figure is
"""

from pipelines.evaluation.judging import judge
from pipelines.evaluation.labels import read_labels
from pipelines.evaluation.outcome import Evaluation, Pooled
from pipelines.evaluation.seeds import over_seeds, read_evaluations
from pipelines.evaluation.workspace import evaluate

__all__ = ["Evaluation", "Pooled", "evaluate", "judge", "over_seeds", "read_evaluations", "read_labels"]
