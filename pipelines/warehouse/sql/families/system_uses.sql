-- system_uses: every request under a system prompt that belongs to a family: its item is what was asked under it.
-- Reads the registered Arrow table of_text (text_hash, family) and tonight_account. Takes $day. What the system
-- prompt asks for counts for each of its requests.
SELECT family, account, coalesce(prompt_hash, 0) AS item,
       greatest(coalesce(request.training_permille, 0), system_text.training_permille) AS training_permille
FROM core.request AS request
JOIN of_text ON of_text.text_hash = system_hash
JOIN core.system_text AS system_text USING (system_hash)
JOIN tonight_account USING (account_id)
WHERE day = $day
