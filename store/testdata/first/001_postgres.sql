-- The search index.
CREATE TABLE search (
    message BIGINT PRIMARY KEY,
    words   TSVECTOR NOT NULL
);
CREATE INDEX search_words ON search USING GIN (words);

-- These hold compressed bytes: a second compression is wasted time.
ALTER TABLE raw ALTER COLUMN data SET STORAGE EXTERNAL;
ALTER TABLE renderings ALTER COLUMN data SET STORAGE EXTERNAL;

-- Rows here are updated often: room on the page keeps the update on it.
ALTER TABLE ledger SET (fillfactor = 85);
ALTER TABLE letters SET (fillfactor = 85);
