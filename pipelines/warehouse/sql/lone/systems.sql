-- systems: the system prompts of the sampled prompts of some accounts, in the order of system_no, which has no gaps;
-- of a long one both ends. Reads the temporary lone_text. Takes $first, $last (accounts, inclusive), $half.
SELECT account, system_no,
       if(len(shingles) > 2 * $half, list_concat(shingles[:$half], shingles[-$half:]), shingles) AS shingles
FROM (SELECT DISTINCT account, system_no, system_hash FROM lone_text WHERE account BETWEEN $first AND $last)
JOIN core.system_text USING (system_hash)
WHERE system_no >= 0
ORDER BY system_no
