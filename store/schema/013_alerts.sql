-- What the desk tells its operators about itself: a row for each condition that
-- lasts or was over lately.
CREATE TABLE alerts (
    key     TEXT PRIMARY KEY CHECK (key <> ''),
    text    TEXT NOT NULL,
    hint    TEXT NOT NULL,
    node    TEXT NOT NULL, -- who sees it, '' every node
    mailbox TEXT NOT NULL, -- the sick one, '' none
    sending BOOLEAN NOT NULL,
    passing BOOLEAN NOT NULL,
    since   BIGINT NOT NULL,
    told    BIGINT NOT NULL,           -- 0 never
    times   BIGINT NOT NULL,
    cleared BIGINT NOT NULL            -- 0: it lasts
);

-- What is to be handed to a webhook or a program, until it was taken.
CREATE TABLE alert_posts (
    id       @identity@,
    target   TEXT NOT NULL CHECK (target IN ('webhook', 'command')),
    body     TEXT NOT NULL,
    since    BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0
);
