-- public: templates of a kind that many organisations used that night. Takes $day, $kind, $least.
SELECT shingles FROM night.family WHERE day = $day AND kind = $kind AND n_orgs >= $least ORDER BY family_id
