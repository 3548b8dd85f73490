-- The stored bytes of a large mail after its first piece, which is in raw: a
-- value of 25 MB would be in memory three times before it is on disk.
CREATE TABLE raw_pieces (
    ledger BIGINT NOT NULL REFERENCES ledger (id),
    piece  BIGINT NOT NULL, -- from 1
    data   BYTEA NOT NULL,
    PRIMARY KEY (ledger, piece)
);
