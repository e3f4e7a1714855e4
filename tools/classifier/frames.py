"""Weak labels: frames, phrases and dialogues of phrases/*.toml filled with ordinary prompts.

Here: how a frame becomes a request. Not here: the frames themselves (phrases/), real prompts (rows).

`[a|b]` is a choice, `{x}` a payload, `{t}` a topic, `{user}` parts a system prompt from the user's.
"""

import json
import random
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.text.vocabulary import CAPABILITIES, TEXT_TECHNIQUES
from tools.classifier.rows import CAPABILITY_OF_TECHNIQUE, NO_LABEL, Row

PHRASES = Path(__file__).parent / "phrases"
WITHOUT_SPACES = ("zh", "ja")

SPLIT_SHARE = 0.3
"""How often a frame's instruction stands in the system prompt and its payload alone in the user's."""
ORDINARY_SYSTEM_SHARE = 0.25
"""How often a request without a system prompt is given an ordinary one: it must not mean anything."""


class Frames:
    """The frames, filled with payloads from real ordinary prompts."""

    def __init__(self, payloads: list[Row], *, part: str, seed: int) -> None:
        paths = sorted(PHRASES.glob("*.toml"))
        self.phrases: dict[str, dict[str, Any]] = {
            path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in paths
        }
        self.part = part
        self.random = random.Random(seed)
        self.payloads = payloads
        self.by_language: dict[str, list[Row]] = {}
        for row in payloads:
            self.by_language.setdefault(row.language, []).append(row)

    def rows(self, *, english: int, other: int) -> Iterator[Row]:
        """So many rows of every kind of every technique in English, and in each other language."""
        for language, phrases in self.phrases.items():
            n = english if language == "en" else other
            for technique, section in phrases["technique"].items():
                for _ in range(n):
                    yield from self.of_section(section, language, technique)
            for _ in range(3 * n):
                yield from self.of_section(phrases["ordinary"], language, "none")
            for capability, section in phrases["capability"].items():
                for _ in range(n // 2):
                    yield from self.of_capability(section, language, capability)
            if self.part == "train":
                for _ in range(n):
                    yield self.worked_examples(language, reasoned=True)
                    yield self.worked_examples(language, reasoned=False)
                    yield self.agent_loop(language)
                    if language == "en":
                        yield self.function_call()

    def of_section(self, section: dict[str, Any], language: str, technique: str) -> Iterator[Row]:
        """One row of each way in which a technique, or ordinary use, is written."""
        source = "ordinary" if technique == "none" else f"technique:{technique}"
        whole = section.get(self.part, ())
        made = []
        if whole:
            made.append(self.filled(self.thinned(self.random.choice(whole), language), language))
        if self.part == "train":
            made.append(self.of_words(section["words"], language, several=technique != "none"))
            if "composed" in section:
                made.append(self.filled(self.composed(section["composed"], language), language))
        named = CAPABILITY_OF_TECHNIQUE.get(technique)
        for system, text, inner in made:
            capability = inner if named is None else CAPABILITIES.index(named)
            yield self.row(system, text, source, language, capability, technique)
        if self.part == "train" and "about" in section:
            subject = self.random.choice(sorted(section["about"]))
            system, text, _ = self.filled(self.random.choice(section["about"][subject]), language)
            yield self.row(system, text, source, language, CAPABILITIES.index(subject), technique)

    def of_capability(self, section: dict[str, Any], language: str, capability: str) -> Iterator[Row]:
        code = CAPABILITIES.index(capability)
        technique = None if capability == "agentic" else "none"
        made = []
        if self.part in section:
            made.append(self.filled(self.random.choice(section[self.part]), language, nested=False))
        if self.part == "train" and "words" in section:
            made.append(self.of_words(section["words"], language, several=False))
        if self.part == "train" and "composed" in section:
            made += [
                self.filled(self.composed(section["composed"], language), language, nested=False)
                for _ in range(2)
            ]
        for system, text, _ in made:
            yield self.row(system, text, f"capability:{capability}", language, code, technique)

    # -------------------------------------------------------------- ways of writing

    def composed(self, section: dict[str, Any], language: str) -> str:
        """An opening, some details and a demand, before or after what they are about, or in the system
        prompt."""
        space = "" if language in WITHOUT_SPACES else " "
        chosen = [self.random.choice(section["openings"])]
        details = section["details"]
        chosen += self.random.sample(details, k=min(len(details), self.random.choice((0, 1, 1, 2, 3))))
        if self.random.random() < 0.8:
            chosen.append(self.random.choice(section["demands"]))
        style = self.random.random()
        if style < 0.2:
            instruction = self.headed(chosen)
        elif style < 0.45 and len(chosen) > 2:
            bullet = self.random.choice(("- ", "* ", "{n}. "))
            lines = [bullet.replace("{n}", str(at)) + line for at, line in enumerate(chosen[1:], 1)]
            instruction = "\n".join([chosen[0], *lines])
        else:
            instruction = self.random.choice((space, space, "\n", "\n\n")).join(chosen)
        layout = self.random.choice(section["layouts"])
        place = self.random.random()
        if place < 0.45:
            return f"{instruction}{{user}}{layout}"
        if place < 0.85:
            return f"{instruction}\n\n{layout}"
        return f"{layout}\n\n{instruction}"

    def headed(self, chosen: list[str]) -> str:
        """The same under headings, as pipelines and prompt libraries write it."""
        titles = {name: self.random.choice(lines) for name, lines in self.phrases["en"]["headings"].items()}
        bullet = self.random.choice(("- ", "* ", ""))
        middle = [bullet + line for line in chosen[1:-1]]
        blocks = [titles["role"], chosen[0], titles["rules"], "\n".join(middle), titles["output"],
                  bullet + chosen[-1], titles["input"]]  # fmt: skip
        return self.random.choice(("\n", "\n\n")).join(block for block in blocks if block)

    def function_call(self) -> Row:
        """One request and the functions that could serve it: ordinary use of tools."""
        functions = self.phrases["en"]["functions"]
        listed = []
        for name in self.random.sample(functions["names"], k=self.random.randint(1, 4)):
            arguments = self.random.sample(functions["arguments"], k=self.random.randint(1, 3))
            properties = {
                argument: {"type": self.random.choice(("string", "integer", "number", "boolean")),
                           "description": f"The {argument} of {self.topic('en')}."}
                for argument in arguments
            }  # fmt: skip
            parameters = {"type": "object", "properties": properties, "required": arguments[:1]}
            described = f"{name.replace('_', ' ').capitalize()} for the user"
            listed.append({"name": name, "description": described, "parameters": parameters})
        rules = self.random.sample(functions["rules"], k=self.random.randint(1, 4))
        shown = json.dumps(listed, indent=self.random.choice((None, 2)))
        instruction = "\n".join([self.random.choice(functions["openings"]), *rules, shown])
        _, request, _ = self.filled(self.random.choice(functions["requests"]), "en", nested=False)
        code = CAPABILITIES.index("tool_use")
        if self.random.random() < 0.75:
            return self.row(instruction, request, "functions", "en", code, "none")
        return self.row("", f"{instruction}\n\n{request}", "functions", "en", code, "none")

    def made_up(self) -> list[str]:
        """A solved question around an ordinary prompt: it says little, but in words of reasoning."""
        shots = self.phrases["en"]["shots"]
        _, question, _ = self.filled(self.random.choice(("{x}", "{x}", "Is {t} true?")), "en", nested=False)
        sentences = self.random.sample(shots["generic"], k=self.random.randint(1, 4))

        def with_numbers(text: str) -> str:
            text = text.replace("{t}", self.topic("en"))
            return re.sub(r"\{n\}", lambda _: str(self.random.randint(2, 400)), text)

        reasoning = with_numbers(" ".join(sentences))
        return [question[:250], reasoning, with_numbers(self.random.choice(shots["verdicts"])), ""]

    def of_words(self, words: list[str], language: str, *, several: bool) -> tuple[str, str, int]:
        """Phrases of one kind in any order, around a payload: they teach words, not whole sentences."""
        # One phrase alone is no technique: people, too, say "step by step".
        n = self.random.choice((2, 3, 4, 6) if several else (1, 2, 3))
        phrases = self.random.choices(words, k=n)
        text = phrases[0]
        for phrase in phrases[1:]:
            text += self.random.choice((" ", ", ", ". ", "\n", "\n- ", ": ")) + phrase
        place = self.random.random()
        if place < 0.25:
            return self.with_system("", text, language), text, NO_LABEL
        payload, capability = self.payload(language, nested=False)
        if place < 0.45:
            return text, payload, capability
        both = f"{text}\n\n{payload}" if place < 0.8 else f"{payload}\n\n{text}"
        return self.with_system("", both, language), both, capability

    def worked_examples(self, language: str, *, reasoned: bool) -> Row:
        """Solved questions and a new one: with the reasoning shown it asks for reasoning, else for none."""
        shots = self.phrases[language]["shots"]
        asked, thought, answered = self.random.choice(shots["labels"])
        items = self.random.sample(shots["items"], k=self.random.randint(2, 6))
        if language == "en" and self.random.random() < 0.5:
            items = [self.made_up() if self.random.random() < 0.7 else item for item in items]
        *examples, last = items
        numbered, one_line = self.random.random() < 0.25, self.random.random() < 0.3
        blocks = []
        for at, (question, reasoning, answer, _) in enumerate(examples, 1):
            number = f" {at}" if numbered else ""
            shown = f"{answered}: {answer}"
            if reasoned and one_line:
                shown = f"{answered}: {reasoning} {self.random.choice(shots['so'])} {answer}"
            elif reasoned:
                shown = f"{thought}: {reasoning}\n{answered}: {answer}"
            blocks.append(f"{asked}{number}: {question}\n{shown}")
        opened = thought if reasoned and not one_line and self.random.random() < 0.7 else answered
        blocks.append(f"{asked}: {last[0]}\n{opened}:")
        text = self.random.choice(("\n\n", "\n", "\n---\n")).join(blocks)
        header = self.random.choice(shots["reasoned" if reasoned else "plain"])
        system = ""
        if header and self.random.random() < 0.3:
            system = header
        elif header:
            text = f"{header}\n\n{text}"
        technique = "reasoning_trace" if reasoned else "none"
        capability = CAPABILITIES.index(last[3] or "general_reasoning")
        return self.row(system, text, f"examples:{technique}", language, capability, technique)

    def agent_loop(self, language: str) -> Row:
        """An agent's instruction with its tools, and the steps so far."""
        loops = self.phrases[language]["loops"]
        thought, action, observation = self.random.choice(loops["labels"])
        header = re.sub(r"\{(thought|action|observation)\}",
                        lambda found: {"thought": thought, "action": action,
                                       "observation": observation}[found[1]],
                        self.random.choice(loops["headers"]))  # fmt: skip
        tools = "\n".join(self.random.sample(loops["tools"], k=self.random.randint(2, 4)))
        steps = [
            f"{thought} {at}: {step[0]}\n{action} {at}: {step[1]}\n{observation} {at}: {step[2]}"
            for at, step in enumerate(self.random.sample(loops["steps"], k=self.random.randint(0, 4)), 1)
        ]
        task = self.random.choice(loops["tasks"]).replace("{t}", self.topic(language))
        history = "\n".join([task, *steps, f"{thought} {len(steps) + 1}:"])
        instruction = f"{header}\n{tools}"
        place = self.random.random()
        system, text = (instruction, history) if place < 0.5 else ("", f"{instruction}\n\n{history}")
        if place < 0.15 and steps:
            text = steps[-1].split("\n")[-1]  # tools answer in turns of their own
        return self.row(system, text, "loop", language, CAPABILITIES.index("agentic"), "trajectory")

    # -------------------------------------------------------------- filling

    def thinned(self, frame: str, language: str) -> str:
        """A training frame with some of its words left out, so that no single one carries it."""
        keep = self.random.choice((1.0, 0.8, 0.6))
        if self.part != "train" or keep == 1.0:
            return frame
        pattern = r"(\{(?:[xt]|user)\}|\[[^][]*\|[^][]*\]|\s+" + (
            r"|\S)" if language in WITHOUT_SPACES else ")"
        )
        return "".join(
            piece
            for piece in re.split(pattern, frame)
            if not piece.strip() or piece[0] in "{[" or self.random.random() < keep
        )

    def filled(self, frame: str, language: str, *, nested: bool = True) -> tuple[str, str, int]:
        """System prompt and prompt of a frame with its choices made and its slots filled, and the
        capability of its payload."""
        frame = re.sub(r"\[([^][]*\|[^][]*)\]", lambda found: self.random.choice(found[1].split("|")), frame)
        frame = frame.replace("{t}", self.topic(language))
        system, parting, text = frame.partition("{user}")
        if not parting:
            system, text = "", frame
            instruction, gap, rest = frame.partition("\n\n")
            if gap and "{x}" not in instruction and "{x}" in rest and self.random.random() < SPLIT_SHARE:
                system, text = instruction, rest
        capability = NO_LABEL
        while "{x}" in text:
            payload, capability = self.payload(language, nested=nested)
            text = text.replace("{x}", payload, 1)
        return self.with_system(system.strip(), text, language), text.strip(), capability

    def with_system(self, system: str, text: str, language: str) -> str:
        """The system prompt, or now and then an ordinary one where there is none."""
        ordinary = self.phrases[language]["ordinary"]
        if system or not text or self.random.random() > ORDINARY_SYSTEM_SHARE:
            return system
        if self.random.random() < 0.3:
            return "You are a helpful assistant."
        composed = ordinary["composed"]
        kept = self.random.sample(composed["details"], k=self.random.choice((0, 1, 2)))
        lines = [self.random.choice(composed["openings"]), *kept]
        out = re.sub(
            r"\[([^][]*\|[^][]*)\]", lambda found: self.random.choice(found[1].split("|")), " ".join(lines)
        )
        return out.replace("{t}", self.topic(language))

    def topic(self, language: str) -> str:
        return str(self.random.choice(self.phrases[language]["topics"]))

    def payload(self, language: str, *, nested: bool) -> tuple[str, int]:
        if nested and self.part == "train" and self.random.random() < 0.4:
            sections = self.phrases[language]["capability"]
            name = self.random.choice(sorted(sections))
            _, text, _ = self.filled(self.random.choice(sections[name]["train"]), language, nested=False)
            return text, CAPABILITIES.index(name)
        own = self.by_language.get(language, [])
        row = self.random.choice(own if len(own) >= 20 else self.payloads)
        text = row.text[: self.random.choice((80, 300, 1200, 3000))]
        return text.replace("{", "(").replace("}", ")"), row.capability

    def row(
        self, system: str, text: str, source: str, language: str, capability: int, technique: str | None
    ) -> Row:
        code = NO_LABEL if technique is None else TEXT_TECHNIQUES.index(technique)
        benign = source == "ordinary"
        return Row(system, text, f"frames_{self.part}", source, language, capability, code, benign)


def with_frames(rows: list[Row], *, part: str, seed: int, english: int, other: int) -> list[Row]:
    """The rows, and rows made of our frames around the ordinary ones among them."""
    payloads = [row for row in rows if row.is_benign and 8 <= len(row.text) <= 4000]
    return [*rows, *Frames(payloads, part=part, seed=seed).rows(english=english, other=other)]
