-- account_scored: tonight's accounts as the models read them. Takes $day. Called by pipelines.scores.
SELECT * FROM night.account_day WHERE day = $day ORDER BY account_id;
