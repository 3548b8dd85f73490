-- The first schema, one text for SQLite and PostgreSQL.
--
-- @identity@  primary key, a number the database gives
-- @number@    the same, never given twice even after the newest row is deleted
-- @rowid@     primary key, a number we give
--
-- Times are UTC unix milliseconds, 0 when there is none. Nested values that
-- are never queried are JSON text, '' when there are none. Addresses are in
-- normal form. Indexes are named TABLE_QUESTION.

-- One row per brand: whoever updates it decides next.
CREATE TABLE brands (
    brand  TEXT PRIMARY KEY,
    change BIGINT NOT NULL
);

CREATE TABLE people (
    id       @identity@,
    brand    TEXT NOT NULL, -- '' for an agent
    name     TEXT NOT NULL,
    folded   TEXT NOT NULL, -- name in lower case, without accents: what a search compares
    phones   TEXT NOT NULL,
    language TEXT NOT NULL,
    org      TEXT NOT NULL,
    blocked  BOOLEAN NOT NULL,
    notes    TEXT NOT NULL,
    changed  BIGINT NOT NULL
);

CREATE TABLE addresses (
    brand    TEXT NOT NULL,
    address  TEXT NOT NULL CHECK (address <> ''),
    person   BIGINT NOT NULL REFERENCES people (id),
    position BIGINT NOT NULL,
    PRIMARY KEY (brand, address)
);
CREATE INDEX addresses_of ON addresses (person, position);

CREATE TABLE tickets (
    id            @number@,
    brand         TEXT NOT NULL,
    mailbox       TEXT NOT NULL,
    queue         TEXT NOT NULL,
    channel       TEXT NOT NULL CHECK (channel IN ('email', 'shell', 'web', 'voice', 'sms', 'whatsapp')),
    status        TEXT NOT NULL CHECK (status IN ('new', 'open', 'pending', 'on_hold', 'resolved', 'closed', 'merged', 'spam')),
    subject       TEXT NOT NULL,
    subject_core  TEXT NOT NULL,
    language      TEXT NOT NULL,
    thread_root   TEXT NOT NULL,
    requester     BIGINT NOT NULL,
    assignee      TEXT NOT NULL,
    severity      TEXT NOT NULL,
    category      TEXT NOT NULL,
    impact        BIGINT NOT NULL,
    urgency       BIGINT NOT NULL,
    tags          TEXT NOT NULL,
    facts         TEXT NOT NULL,
    links         TEXT NOT NULL,
    merged_into   BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    opened        BIGINT NOT NULL,
    updated       BIGINT NOT NULL,
    answered      BIGINT NOT NULL,
    resolved      BIGINT NOT NULL,
    closed        BIGINT NOT NULL,
    pending_until BIGINT NOT NULL,
    due           BIGINT NOT NULL,
    followed_up   BIGINT NOT NULL,
    worked_min    BIGINT NOT NULL,
    CHECK (status <> 'merged' OR merged_into > 0)
);
CREATE INDEX tickets_open ON tickets (brand, status) WHERE status IN ('new', 'open', 'pending', 'on_hold', 'resolved');
CREATE INDEX tickets_thread ON tickets (brand, thread_root, id) WHERE thread_root <> '';
CREATE INDEX tickets_silent ON tickets (brand, resolved) WHERE status = 'resolved';
CREATE INDEX tickets_due ON tickets (brand, pending_until) WHERE pending_until > 0;

-- subject_core repeats the ticket's: "a ticket with this subject on which this
-- address takes part" is then one seek.
CREATE TABLE participants (
    ticket       BIGINT NOT NULL REFERENCES tickets (id),
    address      TEXT NOT NULL,
    person       BIGINT NOT NULL REFERENCES people (id),
    name         TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('requester', 'follower', 'proposed', 'third_party', 'removed')),
    position     BIGINT NOT NULL,
    subject_core TEXT NOT NULL,
    PRIMARY KEY (ticket, address)
);
CREATE INDEX participants_subject ON participants (address, subject_core, ticket);

-- What came in, before and after it was decided.
CREATE TABLE ledger (
    id            @identity@,
    key           TEXT NOT NULL UNIQUE,
    brand         TEXT NOT NULL,
    mailbox       TEXT NOT NULL,
    folder        TEXT NOT NULL,
    uidvalidity   BIGINT NOT NULL, -- 0 unless it came by IMAP
    uid           BIGINT NOT NULL,
    queue         TEXT NOT NULL,
    channel       TEXT NOT NULL CHECK (channel IN ('email', 'shell', 'web', 'voice', 'sms', 'whatsapp')),
    sender        TEXT,            -- NULL unknown, '' null reverse-path
    recipients    TEXT NOT NULL,
    received      BIGINT NOT NULL,
    sha256        BYTEA NOT NULL,
    size          BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    epoch         BIGINT NOT NULL DEFAULT 0,
    attempts      BIGINT NOT NULL DEFAULT 0,
    released      TEXT NOT NULL DEFAULT '',
    disposition   TEXT NOT NULL DEFAULT '' CHECK (disposition IN ('', 'message', 'recorded', 'quarantined', 'discarded', 'duplicate')),
    reason        TEXT NOT NULL DEFAULT '',
    detail        TEXT NOT NULL DEFAULT '',
    trace         TEXT NOT NULL DEFAULT '',
    author        TEXT NOT NULL DEFAULT '',
    subject       TEXT NOT NULL DEFAULT '',
    ticket        BIGINT NOT NULL DEFAULT 0,
    message       BIGINT NOT NULL DEFAULT 0,
    decided       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX ledger_undecided ON ledger (brand, id) WHERE disposition = '';
CREATE INDEX ledger_quarantined ON ledger (id) WHERE disposition = 'quarantined';
CREATE INDEX ledger_uid ON ledger (mailbox, folder, uidvalidity, uid) WHERE uid > 0;
CREATE INDEX ledger_content ON ledger (sha256) WHERE uid > 0;
CREATE INDEX ledger_ticket ON ledger (ticket, id) WHERE ticket > 0;

-- Raw bytes, zstd (RFC 8878).
CREATE TABLE raw (
    ledger @rowid@ REFERENCES ledger (id),
    data   BYTEA NOT NULL
);

CREATE TABLE cursors (
    mailbox     TEXT NOT NULL,
    folder      TEXT NOT NULL,
    uidvalidity BIGINT NOT NULL,
    uid         BIGINT NOT NULL,
    polled      BIGINT NOT NULL,
    error       TEXT NOT NULL,
    PRIMARY KEY (mailbox, folder)
);

CREATE TABLE messages (
    id            @identity@,
    brand         TEXT NOT NULL,
    ticket        BIGINT NOT NULL REFERENCES tickets (id),
    seq           BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    ledger        BIGINT NOT NULL, -- 0 when it came by no ledger row
    direction     TEXT NOT NULL CHECK (direction IN ('in', 'out', 'note', 'held')),
    channel       TEXT NOT NULL CHECK (channel IN ('email', 'shell', 'web', 'voice', 'sms', 'whatsapp')),
    kind          TEXT NOT NULL,
    author_kind   TEXT NOT NULL,
    person        BIGINT NOT NULL,
    author_name   TEXT NOT NULL,
    author        TEXT NOT NULL,
    message_id    TEXT NOT NULL,
    in_reply_to   TEXT NOT NULL,
    cites         TEXT NOT NULL,
    subject       TEXT NOT NULL,
    body          TEXT NOT NULL,
    attachments   TEXT NOT NULL,
    content       BYTEA, -- NULL when there is none
    thread_root   TEXT NOT NULL,
    received      BIGINT NOT NULL,
    day           BIGINT NOT NULL, -- of received: keeps messages_content in the order of arrival
    dated         BIGINT NOT NULL,
    commands      TEXT NOT NULL,
    flags         TEXT NOT NULL,
    UNIQUE (ticket, seq)
);
CREATE INDEX messages_msgid ON messages (message_id) WHERE message_id <> '';
CREATE INDEX messages_content ON messages (day, content) WHERE content IS NOT NULL;
CREATE INDEX messages_ledger ON messages (ledger) WHERE ledger > 0;

-- The msg-ids that messages cite and that nothing stored carried then. What is
-- known needs no row: it is found by itself.
CREATE TABLE cites (
    brand   TEXT NOT NULL,
    cited   TEXT NOT NULL,
    message BIGINT NOT NULL REFERENCES messages (id),
    PRIMARY KEY (brand, cited, message)
);

-- Messages that the search index does not have yet.
CREATE TABLE unindexed (
    message @rowid@ REFERENCES messages (id)
);

CREATE TABLE events (
    id      @identity@,
    ticket  BIGINT NOT NULL REFERENCES tickets (id),
    change  BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    detail  TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE INDEX events_ticket ON events (ticket, id);

CREATE TABLE letters (
    id            @identity@,
    key           TEXT UNIQUE, -- NULL: none
    ticket        BIGINT REFERENCES tickets (id), -- NULL: about none
    brand         TEXT NOT NULL,
    mailbox       TEXT NOT NULL,
    kind          TEXT NOT NULL,
    language      TEXT NOT NULL,
    to_address    TEXT NOT NULL,
    to_domain     TEXT NOT NULL,
    subject_core  TEXT NOT NULL,
    person        BIGINT NOT NULL,
    agent         BOOLEAN NOT NULL,
    message       BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    auto          TEXT NOT NULL,
    priority      BIGINT NOT NULL,
    not_after     BIGINT NOT NULL,
    data          TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'dot', 'sent', 'failed', 'held', 'dropped', 'bounced')),
    queued        BIGINT NOT NULL,
    due           BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    epoch         BIGINT NOT NULL DEFAULT 0,
    attempts      BIGINT NOT NULL DEFAULT 0,
    doubts        BIGINT NOT NULL DEFAULT 0,
    sent          BIGINT NOT NULL DEFAULT 0,
    message_id    TEXT NOT NULL DEFAULT '',
    code          TEXT NOT NULL DEFAULT '',
    detail        TEXT NOT NULL DEFAULT '',
    report        TEXT NOT NULL DEFAULT '' CHECK (report IN ('', 'bounced', 'delayed', 'complained', 'delivered', 'read'))
);
CREATE INDEX letters_waiting ON letters (priority, id, due) WHERE state IN ('queued', 'dot');
CREATE INDEX letters_trouble ON letters (state, id) WHERE state IN ('held', 'failed');
CREATE INDEX letters_ticket ON letters (ticket, id);
CREATE INDEX letters_message ON letters (message) WHERE message > 0;
CREATE INDEX letters_msgid ON letters (message_id) WHERE message_id <> '';
-- The limits on automatic letters are counted here. The last columns are in the
-- condition: with them the rows are not touched.
CREATE INDEX letters_auto_to ON letters (to_address, queued, subject_core, ticket, auto) WHERE auto <> '';
CREATE INDEX letters_auto_domain ON letters (to_domain, queued, auto, agent) WHERE auto <> '' AND agent = FALSE;
CREATE INDEX letters_auto ON letters (queued, auto, agent) WHERE auto <> '' AND agent = FALSE;

-- The first rendering of a letter, zstd: every attempt sends these bytes.
CREATE TABLE renderings (
    letter @rowid@ REFERENCES letters (id),
    data   BYTEA NOT NULL
);

-- Message-IDs that SMTP servers gave our letters in place of ours.
CREATE TABLE server_ids (
    message_id TEXT NOT NULL CHECK (message_id <> ''),
    letter     BIGINT NOT NULL REFERENCES letters (id),
    PRIMARY KEY (message_id, letter)
);
CREATE INDEX server_ids_letter ON server_ids (letter);

-- Addresses that bounced hard.
CREATE TABLE suppressed (
    address TEXT PRIMARY KEY,
    at      BIGINT NOT NULL
);

CREATE TABLE leases (
    name  TEXT PRIMARY KEY,
    node  TEXT NOT NULL,
    until BIGINT NOT NULL
);

-- Occurrences that happened: what makes a daily letter leave once.
CREATE TABLE once (
    name       TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    PRIMARY KEY (name, occurrence)
);
