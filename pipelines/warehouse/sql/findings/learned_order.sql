-- findings/learned_order: what past decisions taught about the order of the queue, campaigns first.
-- Reads learned_order of the published snapshot. Called by findings.learned_order.
SELECT level, day, standing, n_approved, n_dismissed, n_later, n_later_nights, present_share, learned_share, gain_low,
       gain_high
FROM learned_order ORDER BY level DESC
