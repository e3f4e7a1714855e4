"""What a campaign harvests: capability and technique together, in requests and tokens."""

from types import SimpleNamespace

import pytest

from detector.text import CAPABILITIES, TECHNIQUES
from pipelines.campaigns.harvest import Harvested, harvests_of, shares
from tests.dealt import given_families
from tests.drawn import JUNE_1, given_requests, warehouse


@pytest.fixture
def con():
    with warehouse() as con:
        yield con


CODE, MATHS = CAPABILITIES.index("coding"), CAPABILITIES.index("math_reasoning")
PLAIN, TRACE = TECHNIQUES.index("none"), TECHNIQUES.index("reasoning_trace")


def harvest_of(con, day, group):
    [harvest] = harvests_of(con, day, [group])
    return harvest


def found(*account_ids: str, families: tuple[str, ...] = ("kiln",)):
    """As much of a flagged group as the harvest asks for."""
    return SimpleNamespace(account_ids=list(account_ids), family_requests=dict.fromkeys(families, 1.0))


def test_what_is_asked_and_how_are_counted_together_over_the_members_templated_requests(con):
    """Grades of code are not grades of sums; what members send besides, and strangers send, is left out."""
    given_requests(
        con,
        f"""
        account | sent_at  | capability | technique | output_tokens
        bot-1   | 00:00:00 | {CODE}     | {TRACE}   | 100
        bot-1   | 00:00:05 | {CODE}     | {TRACE}   | 200
        bot-2   | 00:00:09 | {MATHS}    | {TRACE}   | 50
        bot-2   | 00:00:19 | {CODE}     | {PLAIN}   | -
        bot-3   | 00:00:19 | {CODE}     | {PLAIN}   | 900
    """,
    )
    given_families(con, kiln="bot")
    given_requests(con, f"account | sent_at | capability | technique\nbot-1 | 09:00:00 | {MATHS} | {PLAIN}")
    harvest = harvest_of(con, JUNE_1, found("bot-1", "bot-2"))
    assert {(line.capability, line.technique): (line.n_requests, line.output_tokens) for line in harvest} == {
        ("coding", "none"): (1, 0),
        ("coding", "reasoning_trace"): (2, 300),
        ("math_reasoning", "reasoning_trace"): (1, 50),
    }


def test_a_retry_is_no_harvest_and_a_sampled_row_stands_for_ten(con):
    given_requests(
        con,
        f"""
        account | sent_at  | capability | technique | output_tokens | attempt | sample_rate
        bot-1   | 00:00:00 | {CODE}     | {TRACE}   | 100           | 1       | 0.1
        bot-1   | 00:00:05 | {CODE}     | {TRACE}   | 100           | 2       | 0.1
        bot-2   | 00:00:09 | {CODE}     | {TRACE}   | 7             | 2       | -
    """,
    )
    given_families(con, kiln="bot")
    assert harvest_of(con, JUNE_1, found("bot-1", "bot-2")) == [
        Harvested("coding", "reasoning_trace", 11, 1007)
    ]


def test_without_templates_all_that_the_members_asked_counts_and_without_prompts_nothing_does(con):
    given_requests(
        con,
        f"""
        account | sent_at  | capability | technique | output_tokens
        bot-1   | 00:00:00 | {CODE}     | {PLAIN}   | 100
        mute-1  | 00:00:05 | -          | -         | 200
    """,
    )
    given_families(con)
    assert harvest_of(con, JUNE_1, found("bot-1", families=())) == [Harvested("coding", "none", 1, 100)]
    assert harvest_of(con, JUNE_1, found("mute-1")) == []


def test_shares_add_up_over_the_other_of_the_two():
    harvest = [
        Harvested("coding", "none", 1, 0),
        Harvested("coding", "reasoning_trace", 2, 9),
        Harvested("translation", "none", 1, 9),
    ]
    assert shares(harvest, "capability") == [("coding", 0.75), ("translation", 0.25)]
    assert shares(harvest, "technique") == [("none", 0.5), ("reasoning_trace", 0.5)]
    assert shares([], "capability") == []
