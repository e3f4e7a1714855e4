-- store: what was measured of each family. Reads the registered Arrow table measured. Takes $day.
INSERT INTO night.family_queue BY NAME
SELECT $day AS day, measured.* FROM measured ORDER BY family_id
