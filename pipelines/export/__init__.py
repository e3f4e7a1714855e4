"""Enforcement lists: approved decisions, and nothing else, for the systems that enforce them.

Here: one module per format (as_csv, as_jsonl), what a row says (actions, reasons), and writing a list
with its manifest (writing). Not here: what was found (findings), who approved what (cases).
"""

from pipelines.export.actions import COLUMNS, SCHEMA_VERSION, EnforcementList, Withheld, enforcement_list
from pipelines.export.writing import FORMATS, ExportSummary, export_decisions

__all__ = [
    "COLUMNS",
    "FORMATS",
    "SCHEMA_VERSION",
    "EnforcementList",
    "ExportSummary",
    "Withheld",
    "enforcement_list",
    "export_decisions",
]
