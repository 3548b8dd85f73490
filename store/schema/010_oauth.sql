-- Logins at providers of mail that take tokens, not passwords (RFC 6749).

-- One row for each mailbox. sealed holds the access and the refresh token,
-- enciphered, '' none. expires is the end of the access token, ends that of the
-- login itself, 0 not known. error is why no token could be had at failed, ''
-- when one could. Whoever fetches a token claims the row until claimed_until;
-- epoch counts each change, so that what is late changes nothing.
CREATE TABLE logins (
    account       TEXT PRIMARY KEY CHECK (account <> ''),
    sealed        BYTEA NOT NULL,
    expires       BIGINT NOT NULL DEFAULT 0,
    ends          BIGINT NOT NULL DEFAULT 0,
    since         BIGINT NOT NULL DEFAULT 0,
    refreshed     BIGINT NOT NULL DEFAULT 0,
    error         TEXT NOT NULL DEFAULT '',
    failed        BIGINT NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL,
    epoch         BIGINT NOT NULL
);
