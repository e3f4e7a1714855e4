"""The calls that OpenAI's and Anthropic's own clients make of the local server: those of `calls`, and one of
Responses and of Messages each.

Here: what recorders of these clients have in common. Not here: the server and the texts (`calls`), what is
recorded (`otel`, `sdk_gateway`). Development only: neither client is a dependency of ours.
"""

from collections.abc import Sequence
from typing import Any

import anthropic
import openai
from calls import CHAT_CALLS, KEY


def call(url: str, further: Sequence[str] = ()) -> None:
    """Make the calls, and one of Messages for each of `further` prompts.

    Parameters
    ----------
    url : the server's address
    """
    client: Any = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    for one in CHAT_CALLS:
        try:
            answer = client.chat.completions.create(model="lark-2", **one)
            if one.get("stream"):
                list(answer)
        except openai.RateLimitError:
            pass
    client.responses.create(model="lark-2", input="sort these words", instructions="Answer briefly.")
    other: Any = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)
    messages = [{"role": "user", "content": "a haiku about rain"}]
    other.messages.create(model="wren-5", max_tokens=64, system="Score from 1 to 10.", messages=messages)
    for prompt in further:
        other.messages.create(model="wren-5", max_tokens=64, messages=[{"role": "user", "content": prompt}])
