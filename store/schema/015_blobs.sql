-- Bytes of ledger rows that are kept outside of the database: such a row has one
-- here and none in raw. A name is given once, for one row. ledger is 0 when the
-- bytes are nobody's any more: they are deleted, then the row here.
CREATE TABLE blobs (
    name   TEXT PRIMARY KEY CHECK (name <> ''),
    place  TEXT NOT NULL CHECK (place <> ''),
    ledger BIGINT NOT NULL
);
CREATE UNIQUE INDEX blobs_ledger ON blobs (ledger) WHERE ledger > 0;
CREATE INDEX blobs_gone ON blobs (place, name) WHERE ledger = 0;
