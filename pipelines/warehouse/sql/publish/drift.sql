-- drift: whether calibration held, night by night and lane by lane. Reads night.drift.
SELECT * FROM night.drift ORDER BY day, lane
