-- prompts: the sampled prompts. Reads the temporary lone_text.
SELECT account, system_no, lone_text.training_permille / 1000 AS training, shingles
FROM lone_text JOIN core.request AS request ON request.rowid = row_id
ORDER BY account, lone_text.prompt_hash
