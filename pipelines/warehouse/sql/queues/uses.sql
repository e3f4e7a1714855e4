-- uses: the sampled requests of a few families, with fingerprints. Reads queue_use, queue_item and the registered
-- Arrow table judged (family, family_id). Takes $day.
SELECT family, request.account_id, request.prompt_hash AS item, epoch_us(sent_at) AS sent_at_us,
       coalesce(n_prompt_bytes, 0) AS n_bytes, coalesce(n_prompt_tokens, 0) AS n_tokens,
       coalesce(script, 0) AS script, coalesce(capability, 0) AS capability, coalesce(shingles, []) AS shingles,
       n_holders, nights_before, first_seen_us
FROM queue_use
JOIN judged USING (family_id)
JOIN queue_item USING (family_id, prompt_hash)
JOIN core.request AS request ON request.rowid = row_id
WHERE day = $day
