-- public: templates of the night that many organisations use. Takes $day, $least.
SELECT kind, shingles FROM night.family
WHERE day = $day AND n_orgs >= $least AND kind IN ('prompt', 'system')
ORDER BY family_id
