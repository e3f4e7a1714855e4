-- toolset_uses: every request that offers a set of tools that belongs to a family: its item is what was asked. Reads
-- the registered Arrow table of_text (text_hash, family) and tonight_account. Takes $day.
SELECT family, account, coalesce(prompt_hash, 0) AS item, coalesce(training_permille, 0) AS training_permille
FROM core.request AS request
JOIN of_text ON of_text.text_hash = toolset_hash
JOIN tonight_account USING (account_id)
WHERE day = $day
