-- toolsets: one row per account and distinct set of tools of the night. Its shingles are its tools, one each, after
-- three that stand for the very set: a set that five accounts share is a family, however few its tools are, and one
-- that adds a tool to it shares the others. Reads tonight_account. Takes $day, $salt.
WITH used AS (
    SELECT DISTINCT account, toolset_hash
    FROM core.request JOIN tonight_account USING (account_id) WHERE day = $day AND toolset_hash IS NOT NULL
),
hashed AS (
    SELECT toolset_hash, tool_names,
           list_transform(tool_names, lambda name: (md5_number_lower($salt || name) & 4294967295)::UINTEGER) AS tools
    FROM core.toolset SEMI JOIN used USING (toolset_hash)
)
SELECT account, toolset_hash AS text_hash, tool_names,
       [(toolset_hash & 4294967295)::UINTEGER, (toolset_hash >> 32)::UINTEGER,
        ((toolset_hash >> 16) & 4294967295)::UINTEGER] || tools AS shingles
FROM used JOIN hashed USING (toolset_hash)
ORDER BY account, text_hash
