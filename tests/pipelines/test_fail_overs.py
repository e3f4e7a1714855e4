"""Who sends next what another account was refused, read from the night's requests."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector.campaigns import fail_over
from pipelines.campaigns.fail_overs import circles, note_fail_overs
from pipelines.warehouse.statements import statement
from tests.drawn import JUNE_1, given_requests, insert_requests, warehouse
from tests.reference.fail_over import Sent, outcomes


@pytest.fixture
def con():
    with warehouse() as con:
        given_a_crowd(con)
        yield con


def given_a_crowd(con, n: int = 400, day=JUNE_1) -> None:
    """People who ask something of their own, or what one or three others ask at another time of the day; all
    are answered, so what chance brings is next to nothing."""
    rows = [
        {
            "account": f"person-{at}-{who}",
            "sent_at": f"{(at + 6 * who) % 24:02}:{at % 60:02}:00",
            "prompt": f"question {at}",
            "status": 200,
        }
        for at in range(n)
        for who in range((1, 2, 4)[at % 3])
    ]
    insert_requests(con, rows, day)


def fail_overs(con, day=JUNE_1) -> dict[tuple[str, str | None], int]:
    """(refused account, heir) -> requests, without the crowd."""
    note_fail_overs(con, day)
    rows = con.execute(
        "SELECT account_id, heir_id, n_requests FROM night.fail_over WHERE day = $day ORDER BY ALL",
        {"day": day},
    ).fetchall()
    return {(account, heir): n for account, heir, n in rows}


def test_what_one_account_was_refused_another_one_sends_next(con):
    given_requests(con, """
        account | sent_at  | prompt | status
        one     | 09:00:00 | item 1 | 429
        two     | 09:00:04 | item 1 | 200
        two     | 10:00:00 | item 2 | 403
        three   | 10:00:30 | item 2 | 529
        one     | 10:00:50 | item 2 | 200
        four    | 11:00:00 | item 3 | 500
    """)  # fmt: skip
    assert fail_overs(con) == {("one", "two"): 1, ("two", "three"): 1, ("three", "one"): 1, ("four", None): 1}


def test_whoever_waits_and_tries_again_needs_nobody_else(con):
    """Nor is it a fail-over when somebody else asks the same an hour later."""
    given_requests(con, """
        account | sent_at  | prompt | status
        one     | 09:00:00 | item 1 | 429
        one     | 09:00:20 | item 1 | 200
        two     | 09:01:00 | item 1 | 200
        three   | 10:00:00 | item 2 | 429
        four    | 11:00:00 | item 2 | 200
    """)  # fmt: skip
    assert fail_overs(con) == {("one", None): 1, ("three", None): 1}


def test_tries_of_one_request_count_once(con):
    given_requests(con, """
        account | sent_at  | prompt | status
        one     | 09:00:00 | item 1 | 429
        one     | 09:00:02 | item 1 | 429
        one     | 09:00:06 | item 1 | 429
        two     | 09:00:14 | item 1 | 200
    """)  # fmt: skip
    assert fail_overs(con) == {("one", "two"): 1}


def test_keys_of_one_organisation_help_each_other(con):
    """An evaluation harness with a pool of keys: whoever is refused, the next key of the lab goes on. All of
    the lab's tries are one, told of the key that tried last."""
    con.execute("INSERT INTO core.account (account_id, org_id) VALUES ('key-1', 'lab'), ('key-2', 'lab')")
    given_requests(con, """
        account | sent_at  | prompt | status | org_id
        key-1   | 09:00:00 | item 1 | 429    | -
        key-2   | 09:00:02 | item 1 | 200    | -
        seat-1  | 09:10:00 | item 2 | 429    | acme
        seat-2  | 09:10:02 | item 2 | 200    | acme
    """)  # fmt: skip
    assert fail_overs(con) == {("key-2", None): 1, ("seat-2", None): 1}


def class_at_homework(n: int, refused_every: int) -> list[dict[str, object]]:
    """Students who paste one question within an hour; the address asks faster than it may."""
    return [
        {
            "account": f"student-{at:02}",
            "sent_at": f"10:{at * 60 // n:02}:{at * 7 % 60:02}",
            "prompt": "the homework",
            "status": 429 if at % refused_every == 0 else 200,
        }
        for at in range(n)
    ]


@pytest.mark.parametrize("n", [12, 30, 60])
def test_a_class_that_pastes_one_question_in_a_storm_of_refusals_ties_nobody(con, n):
    """Whoever comes next sends it anyway: answered or refused, which the answered ones show."""
    insert_requests(con, class_at_homework(n, refused_every=3))
    assert not any(heir for _, heir in fail_overs(con))


def test_a_prompt_of_everybody_costs_nothing_and_means_nothing(con):
    rows = [
        {
            "account": f"fan-{at}",
            "sent_at": f"12:{at % 60:02}:{at // 60:02}",
            "prompt": "viral",
            "status": 429,
        }
        for at in range(fail_over.MOST_SENDERS + 1)
    ]
    insert_requests(con, rows)
    assert fail_overs(con) == {}
    con.execute(
        statement("campaigns/fail_over"),
        {"day": JUNE_1, "refused": [429], "most_senders": fail_over.MOST_SENDERS, "within_s": 600},
    )
    assert con.execute("SELECT count(*) FROM fail_over_run WHERE account_id LIKE 'fan%'").fetchall() == [(0,)]


def test_an_outage_for_everybody_ties_nobody(con):
    """Half of the night's requests fail, and people send them again from the only account they have."""
    rows = []
    for at in range(300):
        first, again = f"14:{at % 60:02}:00", f"14:{at % 60:02}:25"
        row = {"account": f"victim-{at}", "prompt": f"own {at}", "status": 503, "sent_at": first}
        rows += [row, row | {"sent_at": again, "status": 503 if at % 3 else 200}]
    # Two friends sit side by side: one in three hundred is what happens.
    rows += [{"account": "friend", "prompt": "own 7", "status": 200, "sent_at": "14:20:00"}]
    insert_requests(con, rows)
    found = fail_overs(con)
    assert not any(heir for _, heir in found)
    assert len(found) == 300


def test_a_pool_that_sends_every_prompt_twice_does_so_after_answers_as_well(con):
    """Several samples of one item, dealt to one account after the other: no refusal is behind the second."""
    rows = []
    for at in range(40):
        for copy in range(2):
            rows.append(
                {
                    "account": f"pool-{(at + copy) % 8}",
                    "sent_at": f"15:{at:02}:{30 * copy:02}",
                    "prompt": f"sample {at}",
                    "status": 429 if copy == 0 and at % 10 == 0 else 200,
                }
            )
    insert_requests(con, rows)
    assert not any(heir for _, heir in fail_overs(con))


def test_a_small_night_cannot_tell_chance_from_fail_over():
    with warehouse() as con:
        given_requests(con, """
            account | sent_at  | prompt | status
            one     | 09:00:00 | item 1 | 429
            two     | 09:00:04 | item 1 | 200
        """)  # fmt: skip
        assert fail_overs(con) == {}


def test_a_night_without_prompts_knows_of_none(con):
    con.execute("UPDATE core.request SET prompt_hash = NULL")
    assert fail_overs(con) == {}


def test_noting_a_night_twice_is_noting_it_once(con):
    given_requests(con, """
        account | sent_at  | prompt | status
        one     | 09:00:00 | item 1 | 429
        two     | 09:00:04 | item 1 | 200
    """)  # fmt: skip
    assert fail_overs(con) == fail_overs(con) == {("one", "two"): 1}


def given_noted(con, table: list[tuple[int, str, str | None]]) -> None:
    """Fail-overs of so many nights ago."""
    for ago, account, heir in table:
        con.execute(
            "INSERT INTO night.fail_over VALUES ($day, $account, $heir, 1, 8.0)",
            {"day": JUNE_1 - timedelta(days=ago), "account": account, "heir": heir},
        )


def test_circles_grow_over_nights_and_leave_out_whoever_may(con):
    """A gateway with a contract takes over from anybody, and its customers are not one operator."""
    given_noted(
        con,
        [(3, "a", "b"), (1, "b", "c"), (0, "x", "y"), (0, "lonely", None), (20, "c", "old"),
         (0, "x", "gateway"), (0, "c", "gateway")],
    )  # fmt: skip
    con.execute(
        """INSERT INTO night.account_day BY NAME SELECT $day AS day, 'gateway' AS account_id, 1 AS n_requests,
           0 AS n_retries, $day AS first_sent_at, $day AS last_sent_at, 1 AS hour_mask, 1 AS active_hours,
           [1] AS hour_counts, 1 AS n_prompts, true AS is_approved""",
        {"day": JUNE_1},
    )
    found: dict[str, set[str]] = {}
    for account, circle in circles(con, JUNE_1, 14).rows():
        found.setdefault(circle, set()).add(account)
    assert sorted(map(sorted, found.values())) == [["a", "b", "c"], ["x", "y"]]


requests = st.lists(
    st.builds(
        lambda account, prompt, second, refused: Sent(
            f"account-{account}", f"owner-{account // 2}", f"prompt-{prompt}", second, refused
        ),
        st.integers(0, 5), st.integers(0, 2), st.integers(0, 2_000), st.booleans(),
    ),
    max_size=40,
    unique_by=lambda one: (one.prompt, one.second, one.account),
)  # fmt: skip


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests, st.integers(2, 4))
def test_the_query_agrees_with_the_definition(sent, most_senders):
    with warehouse() as con:
        insert_requests(
            con,
            [
                {
                    "account": one.account,
                    "org_id": one.owner,
                    "sent_at": f"{one.second // 3600:02}:{one.second // 60 % 60:02}:{one.second % 60:02}",
                    "prompt": one.prompt,
                    "status": 429 if one.is_refused else 200,
                }
                for one in sent
            ]
            or [{"account": "nobody", "sent_at": "00:00:00", "prompt": None}],
        )
        con.execute(
            statement("campaigns/fail_over"),
            {"day": JUNE_1, "refused": [429], "most_senders": most_senders, "within_s": 600},
        )
        rows = con.execute(
            """SELECT account_id, heir_id, is_refused, n_others, delay_s, sum(n)
               FROM fail_over_run GROUP BY ALL"""
        ).fetchall()
    found = {
        (account, heir, refused, others, None if delay is None else round(delay)): n
        for account, heir, refused, others, delay, n in rows
    }
    assert found == dict(outcomes(sent, most_senders, 600))
