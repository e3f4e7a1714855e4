"""Record calls of the OpenAI and Anthropic clients as a gateway would capture them, a line each.

    pip install openai anthropic
    python tools/record/sdk_gateway.py tests/pipelines/adapters/recorded/sdk.jsonl

Development only: neither client is a dependency of ours. Headers, request and answer are those that went over
the wire; the first line of the file names the versions.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from calls import CAPTURED, LONG, answering
from clients import call


def main() -> None:
    with answering() as url:
        call(url, further=[LONG])
    versions = f"openai {version('openai')}, anthropic {version('anthropic')}"
    header = {"recorded_with": versions, "n_records": len(CAPTURED)}
    Path(sys.argv[1]).write_text("".join(json.dumps(one) + "\n" for one in (header, *CAPTURED)))


if __name__ == "__main__":
    main()
