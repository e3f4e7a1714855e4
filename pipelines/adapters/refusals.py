"""Why a row is refused: a closed set of sentences, so no content of a log can slip into a message.

Here: the wording, with what to do about it. Not here: finding the faults (`canonical`, containers).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: what is wrong, and the remedy."""

    reason: str
    remedy: str


MISSING = Fault("missing or empty", "give every record this column; the log's writer leaves it out")
NOT_WHOLE = Fault("expected a whole number", "write digits only, or leave the column out")
TOO_LARGE = Fault("whole number out of range", "correct the value; the range is in docs/reference/input.md")
NOT_NUMBER = Fault("expected a number", "write a decimal number, or leave the column out")
NOT_FINITE = Fault("expected a finite number", "leave the column out where there is no value")
NOT_TRUTH = Fault("expected true or false", "write true, false, 1 or 0, or leave the column out")
NOT_TIME = Fault("expected a time", "write ISO 8601 with an offset, or an epoch number")
TIME_OUT_OF_RANGE = Fault("time outside 2020 to 2100", "correct the clock or the unit of the epoch number")
NOT_DATE = Fault("expected a date", "write YYYY-MM-DD")
NOT_NAMES = Fault("expected a list of names", 'write a JSON array of strings, for example ["search"]')
NEGATIVE = Fault("must not be negative", "correct the count, or leave the column out")
BAD_RATE = Fault("must be above 0 and at most 1", "give the sampled share of requests; 1 when all are kept")

NOT_JSON = Fault("not valid JSON", "write one JSON object per line; the line may be cut off")
NOT_OBJECT = Fault("expected a JSON object", "write one JSON object per line")
TOO_LONG = Fault("record longer than 256 MB", "split or shorten the record")
UNCLOSED_QUOTE = Fault("quote is never closed", 'double every quote inside a quoted field: ""')
TOO_FEW_FIELDS = Fault("fewer fields than the header", "write one field per header column")
TOO_MANY_FIELDS = Fault("more fields than the header", "quote fields that hold commas or line breaks")
