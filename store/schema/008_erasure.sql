-- What was erased, and how nothing of it comes back.

-- One row for each erasure. The file "erased" beside the database has the same,
-- so that a backup that is older than an erasure can be brought up to it. done
-- is FALSE until the last piece is gone: it is then gone on with.
CREATE TABLE erasures (
    id   TEXT PRIMARY KEY CHECK (id <> ''),
    at   BIGINT NOT NULL,
    done BOOLEAN NOT NULL
);

-- Keyed hashes of what was erased: keys of the ledger, Message-IDs, hashes of
-- contents, addresses and numbers. Without the desk's secret they say nothing.
CREATE TABLE tombstones (
    mark    TEXT PRIMARY KEY CHECK (mark <> ''),
    erasure TEXT NOT NULL REFERENCES erasures (id)
);

-- Copies at the telephone company that are to be deleted there.
CREATE TABLE redactions (
    sid           TEXT PRIMARY KEY CHECK (sid <> ''),
    due           BIGINT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    since         BIGINT NOT NULL,
    error         TEXT NOT NULL DEFAULT '' -- of the last attempt
);
CREATE INDEX redactions_due ON redactions (due, sid);

-- When the content of a ticket was erased, 0 never. Nothing joins it any more.
ALTER TABLE tickets ADD COLUMN erased BIGINT NOT NULL DEFAULT 0;

-- Whose content is older than it is kept.
CREATE INDEX tickets_kept ON tickets (closed) WHERE status IN ('closed', 'spam', 'merged') AND erased = 0;

-- The code by which a customer is to prove who he is, one for each ticket; hash
-- is keyed. proven is when it was answered.
CREATE TABLE passcodes (
    ticket     BIGINT PRIMARY KEY REFERENCES tickets (id),
    hash       TEXT NOT NULL,
    to_address TEXT NOT NULL,
    issued     BIGINT NOT NULL,
    count      BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    proven     BIGINT NOT NULL
);
