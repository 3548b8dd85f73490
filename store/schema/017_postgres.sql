-- Compressed bytes, as in raw.
ALTER TABLE raw_pieces ALTER COLUMN data SET STORAGE EXTERNAL;
