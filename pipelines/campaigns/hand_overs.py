"""Who came and who went, family by family: night.account_day, night.family_account -> the detector's view.

Here: fetching and numbering. Not here: matching, chance (detector.campaigns.hand_over).
"""

from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np
import polars as pl

from detector import campaigns as detect
from pipelines.campaigns.frames import frame_of


def measure_hand_overs(
    con: duckdb.DuckDBPyConnection, day: date, nights: int, families: Sequence[str]
) -> detect.HandOvers:
    """How newcomers follow those who fell silent, for each of the families.

    nights : how far back one looks for earlier work
    families : ids, in the order of the objects of the `template` layer
    """
    known = frame_of(
        con,
        "campaigns/hand_overs",
        {"day": day, "lasting_nights": nights, "few_uses": detect.FEW_USES},
    )
    number = pl.DataFrame(
        {"family_id": pl.Series(families, dtype=pl.String), "text": np.arange(len(families), dtype=np.int64)}
    )
    known = known.join(number, on="family_id", how="inner")
    return detect.hand_overs(
        known["text"].to_numpy(),
        known["what"].to_numpy().astype(np.int64),
        known["at_us"].to_numpy().astype(np.int64),
        len(families),
    )
