-- earlier: what each earlier night won or lost in one lane, oldest first. Takes $day, $lane. Called by pipelines.drift.
SELECT day, factor FROM night.drift WHERE day < $day AND lane = $lane ORDER BY day
