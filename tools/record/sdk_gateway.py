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
from typing import Any

import anthropic
import openai
from calls import CAPTURED, CHAT_CALLS, KEY, LONG, answering


def record(url: str) -> None:
    client: Any = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    for call in CHAT_CALLS:
        try:
            answer = client.chat.completions.create(model="lark-2", **call)
            if call.get("stream"):
                list(answer)
        except openai.RateLimitError:
            pass
    client.responses.create(model="lark-2", input="sort these words", instructions="Answer briefly.")
    other: Any = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)
    messages = [{"role": "user", "content": "a haiku about rain"}]
    other.messages.create(model="wren-5", max_tokens=64, system="Score from 1 to 10.", messages=messages)
    other.messages.create(model="wren-5", max_tokens=64, messages=[{"role": "user", "content": LONG}])


def main() -> None:
    with answering() as url:
        record(url)
    versions = f"openai {version('openai')}, anthropic {version('anthropic')}"
    header = {"recorded_with": versions, "n_records": len(CAPTURED)}
    Path(sys.argv[1]).write_text("".join(json.dumps(one) + "\n" for one in (header, *CAPTURED)))


if __name__ == "__main__":
    main()
