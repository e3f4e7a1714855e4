-- toolsets: the distinct sets of tools of one batch, by up to 64 names. Reads the registered Arrow table `batch`. Takes
-- $salt.
INSERT INTO new_toolset
SELECT DISTINCT md5_number_lower($salt || array_to_string(list_sort(tool_names), chr(31))),
       list_sort(list_distinct(tool_names))[:64]
FROM batch WHERE len(tool_names) > 0
