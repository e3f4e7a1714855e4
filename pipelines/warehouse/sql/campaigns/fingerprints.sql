-- fingerprints: what is compared of each chosen request. Reads the registered Arrow table chosen (place, family, row_id).
-- Takes $day. In any order: millions of lists are not sorted.
SELECT chosen.place, chosen.family, coalesce(n_prompt_bytes, 0) AS n_bytes, coalesce(n_prompt_tokens, 0) AS n_tokens,
       coalesce(script, 0) AS script, coalesce(capability, 0) AS capability, coalesce(shingles, []) AS shingles
FROM chosen JOIN core.request AS request ON request.rowid = row_id
WHERE day = $day
