"""Record what the LiteLLM library itself hands to its logging callbacks: StandardLoggingPayload, a line each.

    pip install litellm && python tools/record/litellm_callback.py tests/pipelines/adapters/recorded/litellm.jsonl

Development only: LiteLLM is none of our dependencies. It calls a local server that answers in OpenAI's and
Anthropic's wire formats (`calls`), so nothing leaves the machine and every text is invented. The first line of
the file names the version that wrote it; times and ids differ from run to run.
"""

import asyncio
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from calls import CHAT_CALLS, KEY, answering

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # the price list in the package, not one from the net

import litellm
from litellm.integrations.custom_logger import CustomLogger


class Recorder(CustomLogger):
    """Keeps each payload as LiteLLM's S3, GCS and HTTP loggers would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    async def async_log_success_event(self, kwargs: dict[str, Any], *_: Any, **__: Any) -> None:
        self._keep(kwargs)

    async def async_log_failure_event(self, kwargs: dict[str, Any], *_: Any, **__: Any) -> None:
        self._keep(kwargs)

    def _keep(self, kwargs: dict[str, Any]) -> None:
        self.lines.append(json.dumps(_without_places(kwargs["standard_logging_object"]), default=str))


def _without_places(value: Any) -> Any:
    """The same without tracebacks, which name folders of the machine."""
    if isinstance(value, dict):
        return {name: "" if "traceback" in name else _without_places(inner) for name, inner in value.items()}
    return [_without_places(inner) for inner in value] if isinstance(value, list) else value


async def record(url: str) -> list[str]:
    recorder = Recorder()
    litellm.callbacks = [recorder]
    caller = {
        "user_api_key_hash": "88dc28d0",
        "user_api_key_user_id": "usr-17",
        "user_api_key_team_id": "team-3",
    }
    for call in CHAT_CALLS:
        try:
            answer = await litellm.acompletion(
                model="openai/lark-2",
                api_base=f"{url}/v1",
                api_key=KEY,
                num_retries=0,
                metadata=caller,
                **call,
            )
            if call.get("stream"):
                async for _ in answer:
                    pass
        except litellm.RateLimitError:
            pass
    await litellm.acompletion(
        model="anthropic/wren-5", api_base=url, api_key=KEY, metadata=caller, max_tokens=64,
        messages=[{"role": "user", "content": "a haiku about rain"}],
    )  # fmt: skip
    await litellm.aresponses(
        model="openai/lark-2", api_base=f"{url}/v1", api_key=KEY, litellm_metadata=caller,
        input="sort these words", instructions="Answer briefly.",
    )  # fmt: skip
    for _ in range(100):
        if len(recorder.lines) >= len(CHAT_CALLS) + 2:
            break
        await asyncio.sleep(0.1)
    return recorder.lines


def main() -> None:
    path = Path(sys.argv[1])
    with answering() as url:
        lines = asyncio.run(record(url))
    header = json.dumps({"recorded_with": f"litellm {version('litellm')}", "n_records": len(lines)})
    path.write_text(
        "\n".join([header, *(line.replace(url, "http://provider.example") for line in lines), ""])
    )


if __name__ == "__main__":
    main()
