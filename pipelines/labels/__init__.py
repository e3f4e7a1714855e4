"""Labels: notices of providers and past decisions of one's own, brought in as what they are.

Here: reading their files (notices), whose they are (importing), what they do beyond being shown (teaching).
Not here: their vocabulary and where they are kept (cases).
"""

from pipelines.labels.importing import ImportSummary, import_labels
from pipelines.labels.teaching import campaign_accounts, note_labels, with_labels

__all__ = ["ImportSummary", "campaign_accounts", "import_labels", "note_labels", "with_labels"]
