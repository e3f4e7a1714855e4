-- approval_ended: flagged accounts of the night whose approved use has just ended say so, and are to be watched at most.
-- Reads core.account. Takes $day, $days. Called by pipelines.approved, once after the night's flags are written.
UPDATE night.flagged_account AS f
SET recommended_action = 'watch',
    reasons = list_append(f.reasons, {
        'code': 'APPROVAL_ENDED',
        'detail': 'its approved use ended on ' || a.approved_until || ': ask whether it is being renewed',
        'value': NULL,
        'usual_range': NULL
    }::STRUCT(code VARCHAR, detail VARCHAR, value DOUBLE, usual_range VARCHAR))
FROM core.account AS a
WHERE f.account_id = a.account_id AND f.day = $day AND coalesce(trim(a.approved_use), '') <> ''
  AND a.approved_until < $day AND a.approved_until >= $day - CAST($days AS INTEGER)
