-- Paths of frames are from the ledger's folder on, so that the two can be moved together.

UPDATE frame SET path = 'frames/' || file_name
WHERE path IS NOT NULL AND substr(path, -length('/frames/' || file_name)) = '/frames/' || file_name;
