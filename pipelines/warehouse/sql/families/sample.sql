-- sample: the prompts that families are learned from. Reads the registered Arrow table chosen (row_id, account) and
-- core.request. In no order.
SELECT account, prompt_hash AS text_hash, shingles
FROM chosen JOIN core.request AS request ON request.rowid = row_id
