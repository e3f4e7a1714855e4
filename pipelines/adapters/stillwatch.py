"""The format `stillwatch`: files whose columns are the canonical record itself."""

from collections.abc import Mapping

from pipelines.adapters.adapter import Adapter, Sample, quoted
from pipelines.record import REQUEST_SCHEMA, REQUIRED


def recognises(sample: Sample) -> bool:
    """Two of the three required names are enough: the third may be what the file has wrong."""
    return len(sample.names.intersection(REQUIRED)) >= 2


def select(present: Mapping[str, str]) -> Mapping[str, str]:
    """Each column is itself."""
    return {name: quoted(name) for name in REQUEST_SCHEMA.names if name in present}


STILLWATCH = Adapter(
    name="stillwatch",
    fields=tuple(REQUEST_SCHEMA.names),
    recognises=recognises,
    select=select,
)
