"""Record what the LiteLLM library itself writes of a call: StandardLoggingPayload and a row of SpendLogs.

    pip install litellm
    python tools/record/litellm_callback.py tests/pipelines/adapters/recorded

Development only: LiteLLM is none of our dependencies. It calls a local server that answers in OpenAI's and
Anthropic's wire formats (`calls`), so nothing leaves the machine and every text is invented. Rows of the
table are made by the proxy's own function for it, and written as the table's JSON columns would be exported;
it asks for more packages than LiteLLM itself and names them when they are missing. Each file's first line
names the version that wrote it; times and ids differ from run to run.
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
os.environ["STORE_PROMPTS_IN_SPEND_LOGS"] = "true"

import litellm
from litellm.integrations.custom_logger import CustomLogger
from litellm.proxy.spend_tracking.spend_tracking_utils import get_logging_payload

_JSON_COLUMNS = ("metadata", "request_tags", "messages", "response", "proxy_server_request")


class Recorder(CustomLogger):
    """Keeps payloads as LiteLLM's S3, GCS and HTTP loggers write them, and rows as the proxy stores them."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: list[dict[str, Any]] = []
        self.rows: list[dict[str, Any]] = []

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self.payloads.append(_without_places(kwargs["standard_logging_object"]))
        row: dict[str, Any] = {**get_logging_payload(kwargs, response_obj, start_time, end_time)}
        row["spend"] = kwargs.get("response_cost") or 0.0  # as the proxy does before it writes
        for name in _JSON_COLUMNS:
            row[name] = json.loads(row[name]) if isinstance(row.get(name), str) else row.get(name)
        for name in ("startTime", "endTime", "completionStartTime"):  # timestamp(3), without a zone
            row[name] = row[name] and row[name].replace(tzinfo=None).isoformat(timespec="milliseconds")
        self.rows.append(_without_places(row))

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        # The row of a failed call is written by a hook of the proxy, not of the library.
        self.payloads.append(_without_places(kwargs["standard_logging_object"]))


def _without_places(value: Any) -> Any:
    """The same without tracebacks, which name folders of the machine."""
    if isinstance(value, dict):
        return {name: "" if "traceback" in name else _without_places(inner) for name, inner in value.items()}
    return [_without_places(inner) for inner in value] if isinstance(value, list) else value


async def record(url: str) -> Recorder:
    recorder = Recorder()
    litellm.callbacks = [recorder]
    caller = {
        "user_api_key": "88dc28d0",
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
                proxy_server_request={"body": {"model": "lark-2", **call}},
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
        if len(recorder.payloads) >= len(CHAT_CALLS) + 2:
            break
        await asyncio.sleep(0.1)
    return recorder


def main() -> None:
    folder = Path(sys.argv[1])
    with answering() as url:
        recorder = asyncio.run(record(url))
    for name, records in (("litellm", recorder.payloads), ("litellm_spend", recorder.rows)):
        header = {"recorded_with": f"litellm {version('litellm')}", "n_records": len(records)}
        text = "".join(json.dumps(one, default=str) + "\n" for one in (header, *records))
        (folder / f"{name}.jsonl").write_text(text.replace(url, "http://provider.example"))


if __name__ == "__main__":
    main()
