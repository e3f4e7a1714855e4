"""Cases: what people decided about campaigns and accounts, kept for as long as anyone may ask why.

Here: the vocabulary (decision, label), the store (store), who is enforced in the end (standing), recording a
decision about what a person saw (deciding), and the list still to be looked at (queue). Not here: what
the scans found (findings), what leaves the house (export).
"""

from pipelines.cases.deciding import decide, decided_so_far, labelled_so_far
from pipelines.cases.decision import Action, Decision, Enforcement, Level, Subject, Verdict
from pipelines.cases.label import Label, Said, standing
from pipelines.cases.queue import Case, State, review_queue, state_of
from pipelines.cases.store import CaseStore

__all__ = [
    "Action",
    "Case",
    "CaseStore",
    "Decision",
    "Enforcement",
    "Label",
    "Level",
    "Said",
    "State",
    "Subject",
    "Verdict",
    "decide",
    "decided_so_far",
    "labelled_so_far",
    "review_queue",
    "standing",
    "state_of",
]
