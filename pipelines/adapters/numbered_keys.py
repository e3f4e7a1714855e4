"""Keys of messages in numbered attributes, as lines in the order in which instrumentations write them.

Here: the keys of conversations whose every message is a role and one text. Not here: any other numbered
attribute (`sql/telemetry.sql`), which is taken apart key by key.

That a span has just such keys is told by one comparison of texts; their words and numbers need no look.
"""

_MOST_MESSAGES = 1_000
"""Longer conversations are read as those are that lie in an odd order."""


def _lines(role: str, content: str) -> str:
    return "".join(f"{role.format(n)}\n{content.format(n)}\n" for n in range(_MOST_MESSAGES))


NUMBERED_KEYS = {
    "lines_of_prompts": _lines("gen_ai.prompt.{}.role", "gen_ai.prompt.{}.content"),
    "lines_of_input_messages": _lines(
        "llm.input_messages.{}.message.role", "llm.input_messages.{}.message.content"
    ),
}
"""The keys, by the names of the macros that `sql/telemetry.sql` has them by."""
