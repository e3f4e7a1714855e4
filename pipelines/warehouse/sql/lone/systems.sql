-- systems: the system prompts of the sampled prompts, in the order of system_no. Reads the temporary lone_text.
SELECT account, shingles
FROM (SELECT DISTINCT account, system_no, system_hash FROM lone_text WHERE system_no >= 0)
JOIN core.system_text USING (system_hash)
ORDER BY system_no
