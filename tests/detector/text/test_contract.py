"""The form a prompt tells its answer to have, told from what frames its input."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.text import Contract, contract, marks
from tests.pools import dozen, with_pools

ITEMS = ["a cat and a hat", "nine blue boats at sea", "two plus two", "why the sky is so blue", "old maps"]


def read(template: str) -> Contract:
    """The contract of a template whose slots `{}` are filled with five items."""
    return contract([template.replace("{}", item) for item in ITEMS])


# --- marks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<answer>x</answer> <|user|>", [("tag", "answer"), ("tag", "answer"), ("tag", "user")]),
        ("<a href='x'> <!-- <//x> <> < x> <x > </a> <|a>", [("tag", "a")]),
        ('{"verdict": 1, \'why\'  : 2, "a b":3, "c" }', [("key", "verdict"), ("key", "why"), ("key", "a b")]),
        ("[RESULT] [[A]] [link](x) [[B]](x) [ a] [a ] [] [-] [1]",
         [("bracket", "RESULT"), ("bracket", "A"), ("bracket", "B"), ("bracket", "1")]),
        ("# One\n##  Two \n#### Four\n##### Five\n#Six\n - # Seven\nx # Eight",
         [("heading", "One"), ("heading", "Two"), ("heading", "Four"), ("heading", "Seven")]),
        ("**Bold** text\n1. **Also**: x\nnot **here**", [("heading", "Bold"), ("heading", "Also")]),
        ("Answer: 4\n  - Final Answer: 5\n12. Why: x\none two three four five: no\ndo not ever say Answer: no"
         "\n答案：好",
         [("label", "Answer"), ("label", "Final Answer"), ("label", "Why"), ("label", "答案")]),
        ("# Step 1: go\r\nNote:\rEnd:", [("heading", "Step 1: go"), ("label", "Note"), ("label", "End")]),
        (f"<{'a' * 48}> <{'a' * 49}> [{'春' * 16}] [{'春' * 17}]",
         [("tag", "a" * 48), ("bracket", "春" * 16)]),
        ('say "<b>": [x] and [a[b]c]', [("tag", "b"), ("bracket", "x"), ("bracket", "b")]),
        ("", []),
    ],
)  # fmt: skip
def test_what_is_a_mark_and_what_is_not(text: str, found: list[tuple[str, str]]) -> None:
    assert marks(text) == found


@given(st.text("<>[]\"'|*# :/!-1.\n\\ab春", max_size=60))
@settings(deadline=None, max_examples=500)
def test_any_text_has_marks_whose_names_are_names(text: str) -> None:
    for kind, name in marks(text):
        assert 0 < len(name.encode()) <= 48
        assert name == name.strip(" \t")
        assert not set(name) & set("<>\"'[]{}|*#\\\n")
        assert kind in {"tag", "key", "bracket", "heading", "label"}
        assert name in text


HOSTILE = [
    *(
        "<",
        "[",
        '"',
        "'",
        "<a",
        "[a",
        '"a',
        "a:",
        "a:\n",
        "\n",
        " \n",
        "# ",
        "#",
        "**",
        "** ",
        "**a",
        "- ",
        "1. ",
    ),
    *('"a" ', '"a"   ', "<|", "</", "春", "a ", "<a>", "[a]", "|", "\n# a", "\n#  ", "\na b ", "[[", "[[a]"),
]


@pytest.mark.parametrize("sign", HOSTILE)
def test_four_times_the_text_costs_four_times_the_work(sign: str) -> None:
    seconds = []
    for n_signs in (20_000, 80_000):
        text = sign * n_signs
        start = time.process_time()
        marks(text)
        seconds.append(time.process_time() - start)
    assert seconds[1] < 8 * seconds[0] + 0.05


# --- contracts ---------------------------------------------------------------------------------------------


def test_tags_that_are_asked_for_are_the_contract_and_tags_around_the_input_are_not() -> None:
    found = read(
        "<document>\n{}\n</document>\n\nRead the document. Think about it in <thinking> tags, "
        "then give the result in <answer> tags."
    )
    assert found == Contract(tags=("thinking", "answer"), reasoning_first=True)
    assert found.as_text() == "<thinking>, <answer>; reasoning before the answer"


def test_keys_of_an_object_that_is_asked_for() -> None:
    found = read('Question: {}\n\nReturn JSON only:\n{\n  "rationale": "why",\n  "verdict": "yes or no"\n}')
    assert found == Contract(keys=("rationale", "verdict"), reasoning_first=True)
    assert found.as_text() == 'keys "rationale", "verdict"; reasoning before the answer'


def test_the_answer_first_is_not_reasoning_first() -> None:
    found = read('Grade this: {}\nRespond with JSON: {"score": 1, "explanation": "why"}')
    assert found == Contract(keys=("score", "explanation"))


def test_tools_that_are_offered_are_no_contract() -> None:
    found = read('Tools:\n{"name": "search", "parameters": {"query": "text"}}\n\nTask: {}')
    assert found.is_empty
    assert found.as_text() == ""


@pytest.mark.parametrize(
    ("template", "labels"),
    [
        ("Question: {}\n\nUse this format:\nThought: think\nAnswer: the answer", ("Thought", "Answer")),
        ("问题：{}\n\n请按以下格式输出：\n思考：你的推理\n答案：最终答案", ("思考", "答案")),
        ("質問：{}\n\n以下の形式で出力してください：\n考え：理由\n答え：結果", ("考え", "答え")),
        ("질문: {}\n\n다음 형식으로 답하세요:\n풀이: 생각\n정답: 결과", ("풀이", "정답")),
        ("Вопрос: {}\n\nОтветь в следующем формате:\nРассуждение: мысли\nОтвет: итог",
         ("Рассуждение", "Ответ")),
        ("السؤال: {}\n\nأجب بالتنسيق التالي:\nالتفكير: السبب\nالإجابة: النتيجة", ("التفكير", "الإجابة")),
        ("Frage: {}\n\nAntworte in diesem Format:\nBegründung: warum\nAntwort: das Ergebnis",
         ("Begründung", "Antwort")),
        ("Pregunta: {}\n\nResponde con este formato:\nRazonamiento: por qué\nRespuesta: final",
         ("Razonamiento", "Respuesta")),
        ("Question : {}\n\nRéponds dans ce format:\nRaisonnement: pourquoi\nRéponse: finale",
         ("Raisonnement", "Réponse")),
    ],
    ids=["en", "zh", "ja", "ko", "ru", "ar", "de", "es", "fr"],
)  # fmt: skip
def test_labels_are_read_in_nine_languages(template: str, labels: tuple[str, ...]) -> None:
    assert read(template) == Contract(labels=labels, reasoning_first=True)


def test_headings_that_follow_the_words_of_demand() -> None:
    found = read(
        "# Role\nYou are a reviewer.\n\n# Rules\n- be kind\n\nText: {}\n\n"
        "Structure your review as follows:\n\n## Analysis\nwhat you see\n\n## Verdict\none word\n"
    )
    assert found == Contract(headings=("Analysis", "Verdict"), reasoning_first=True)


def test_furniture_of_a_prompt_is_no_contract() -> None:
    assert read("# Task\nAnswer the question.\n\n# Rules\n- be brief\n\n# Question\n{}\n").is_empty
    assert read("Answer the following:\n\nContext: none\nImportant: be brief\n\nQuestion: {}").is_empty
    assert read("Write a summary of the article.\n<article>{}</article>\nNote: be brief").is_empty


def test_a_form_in_quotes() -> None:
    found = read('Judge: {}\nThe output should look like this: "Feedback: (your view) [RESULT] (1 to 5)"')
    assert found == Contract(labels=("Feedback", "[RESULT]"), reasoning_first=True)
    assert found.as_text() == "labels Feedback:, [RESULT]; reasoning before the answer"


def test_the_label_that_ends_the_prompt_is_where_the_answer_begins() -> None:
    assert read("Question: {}\nAnswer:") == Contract(labels=("Answer",))
    assert read("### Instruction:\n{}\n\n### Response:\n") == Contract(headings=("Response:",))


def test_worked_examples_show_the_form() -> None:
    shots = "".join(f"Question: {n} and {n}?\nThought: add\nAnswer: {2 * n}\n\n" for n in range(4))
    assert read(f"{shots}Question: {{}}\nThought:") == Contract(
        labels=("Thought", "Answer"), reasoning_first=True
    )
    shots = "".join(f"{n}. Instruction: {{}}\n{n}. Input: {{}}\n{n}. Output: {{}}\n###\n" for n in (1, 2, 3))
    assert read(f"Tasks:\n{shots}4. Instruction:").labels == ("Instruction", "Input", "Output")


def test_marks_in_the_slots_are_no_contract() -> None:
    """Each of five people pastes a page of their own; most pages hold the same heading."""
    examples = [
        f"Return the main point of this page.\n\n{n} {n}\n# Contents\n{item}" for n, item in enumerate(ITEMS)
    ]
    examples += [f"Return the main point of this page.\n\n{item}" for item in ITEMS]
    assert contract(examples).is_empty


def test_marks_of_redaction_are_no_contract() -> None:
    assert read("Write to [mail] and return [RESULT] about {}").labels == ("[RESULT]",)


def test_a_call_in_brackets_is_no_contract() -> None:
    assert read("Use search[question] and return [RESULT] about {}").labels == ("[RESULT]",)


def test_without_examples_or_marks_nothing_is_demanded() -> None:
    assert contract([]) == Contract()
    assert contract(["hello there"] * 5).is_empty
    assert contract(["Answer in <a> tags."] * 5) == Contract(tags=("a",))


@given(st.lists(st.text("<>[]\"': #ab\nreturn", max_size=80), max_size=6))
@settings(deadline=None, max_examples=200)
def test_any_examples_have_a_contract_of_one_line(examples: list[str]) -> None:
    found = contract(examples)
    assert "\n" not in found.as_text()
    assert found == contract(examples[::-1])


@pytest.mark.parametrize(
    "sign", ["[[a]", "\na b ", "[", "<a>", "</a>", '"a":', "\na:", "\n\n# a", "return\n\n", '"a:']
)
def test_hostile_examples_cost_little(sign: str) -> None:
    examples = [f"return json:\n{sign * 6_000}{n}" for n in range(12)]
    start = time.process_time()
    assert len(contract(examples).as_text()) < 10_000
    assert time.process_time() - start < 4.0


# --- real templates ----------------------------------------------------------------------------------------


@with_pools
@pytest.mark.parametrize(
    ("pool", "source", "found"),
    [
        ("distill_oss_instruct", "", Contract(labels=("[Problem Description]", "[Solution]"))),
        ("distill_prometheus", "vicuna", Contract(labels=("Feedback", "[RESULT]"), reasoning_first=True)),
        ("hardneg_code_review", "summarize", Contract(labels=("[TRIAGE]",))),
        ("distill_metamath", "ansaug", Contract(labels=("A",))),
        ("distill_fireact", "hotpotqa_react", Contract(labels=("Thought", "Action", "Observation"))),
        ("distill_dsgym_datamind", "dsgym_trajectory", Contract(tags=("answer",))),
        ("hardneg_gsm8k_harness", "", Contract(labels=("Answer",))),
        ("benign_wildchat", "", Contract()),
        ("benign_banking77", "", Contract()),
    ],
)
def test_the_contract_of_real_prompts(pool: str, source: str, found: Contract) -> None:
    assert contract(dozen(pool, source)) == found
