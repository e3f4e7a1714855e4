-- prompts: the sampled prompts of some accounts; of a long one both ends, where an added text stands. Reads the
-- temporary lone_text. Takes $first, $last (accounts, inclusive), $half.
SELECT account, system_no, lone_text.training_permille / 1000 AS training,
       if(len(shingles) > 2 * $half, list_concat(shingles[:$half], shingles[-$half:]), shingles) AS shingles
FROM lone_text JOIN core.request AS request ON request.rowid = row_id
WHERE account BETWEEN $first AND $last
ORDER BY account, lone_text.prompt_hash
