"""Past nights judged by another policy: the evidence that is kept, and what a backtest makes of it."""

from village import NIGHTS, asked

from pipelines.workspace import Workspace


def test_every_candidate_keeps_the_evidence_it_was_judged_by(scanned_once: Workspace):
    """Flagged or not: the pieces of each add up to what the scan weighed it at, and belong to its night."""
    weighed = asked(
        scanned_once,
        """SELECT day, candidate_id, evidence, flagged, has_content, sum(log_odds), count(position),
                  list(position ORDER BY position)
           FROM night.candidate LEFT JOIN night.candidate_evidence USING (day, candidate_id)
           GROUP BY ALL ORDER BY day, candidate_id""",
    )
    assert {row[0] for row in weighed} == set(NIGHTS)
    assert {row[3] for row in weighed} == {True, False}
    for _day, _id, total, _flagged, has_content, added, n_pieces, positions in weighed:
        assert has_content is True
        assert abs(total - added) < 1e-9
        assert 2 <= n_pieces <= 30
        assert positions == list(range(n_pieces))
