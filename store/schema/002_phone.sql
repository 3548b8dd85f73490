-- The telephone: calls, voicemail, SMS and WhatsApp. Numbers are in E.164;
-- where they stand as addresses, in ledger, participants, letters and stops,
-- they are "tel:+…" or "whatsapp:+…".

-- Rows of one call belong together before anybody decided about them.
ALTER TABLE ledger ADD COLUMN contact TEXT NOT NULL DEFAULT '';
CREATE INDEX ledger_contact ON ledger (contact, id) WHERE contact <> '';

-- Files that ledger rows name and the telephone company has, until they are
-- fetched or given up. brand and contact repeat the ledger row's.
CREATE TABLE fetches (
    id            @identity@,
    key           TEXT NOT NULL UNIQUE, -- of the ledger row it becomes
    ledger        BIGINT NOT NULL REFERENCES ledger (id),
    brand         TEXT NOT NULL,
    contact       TEXT NOT NULL,
    sid           TEXT NOT NULL, -- of a recording, else ''
    url           TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    filename      TEXT NOT NULL,
    attempts      BIGINT NOT NULL DEFAULT 0,
    due           BIGINT NOT NULL,
    claimed_until BIGINT NOT NULL DEFAULT 0,
    epoch         BIGINT NOT NULL DEFAULT 0,
    since         BIGINT NOT NULL,
    error         TEXT NOT NULL DEFAULT '' -- of the last attempt
);
CREATE INDEX fetches_due ON fetches (due, id);
CREATE INDEX fetches_ledger ON fetches (ledger);

-- Whose number it is: people.phones, so that it can be asked. A household or a
-- switchboard shares one.
CREATE TABLE phones (
    brand  TEXT NOT NULL,
    number TEXT NOT NULL CHECK (number <> ''),
    person BIGINT NOT NULL REFERENCES people (id),
    PRIMARY KEY (brand, number, person)
);
CREATE INDEX phones_of ON phones (person);

-- The line of a ticket, and repeated on its participants: "the tickets of this
-- number on this line" is then one seek.
ALTER TABLE tickets ADD COLUMN line TEXT NOT NULL DEFAULT '';
ALTER TABLE participants ADD COLUMN line TEXT NOT NULL DEFAULT '';
CREATE INDEX participants_line ON participants (address, line, ticket) WHERE line <> '';
-- A caller's ticket names the person by a number that is not among the
-- person's addresses.
CREATE INDEX participants_person ON participants (person, ticket);

CREATE INDEX messages_texts ON messages (author, received) WHERE direction = 'in' AND channel IN ('voice', 'sms', 'whatsapp');

-- Who wants no texts from which of our lines.
CREATE TABLE stops (
    number TEXT NOT NULL CHECK (number <> ''),
    line   TEXT NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (number, line)
);

-- What a day, "2026-03-29", used of its budget.
CREATE TABLE spent (
    day      TEXT PRIMARY KEY,
    segments BIGINT NOT NULL,
    calls    BIGINT NOT NULL
);

CREATE TABLE alarms (
    id       @identity@,
    ticket   BIGINT NOT NULL REFERENCES tickets (id),
    brand    TEXT NOT NULL,
    tier     BIGINT NOT NULL,
    why      TEXT NOT NULL,
    people   TEXT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('ringing', 'acknowledged', 'exhausted', 'stopped')),
    attempt  BIGINT NOT NULL,
    most     BIGINT NOT NULL,
    due      BIGINT NOT NULL,
    ended_by TEXT NOT NULL,
    started  BIGINT NOT NULL,
    ended    BIGINT NOT NULL
);
CREATE INDEX alarms_ringing ON alarms (brand, due, id) WHERE state = 'ringing';
CREATE INDEX alarms_ticket ON alarms (ticket, id) WHERE state = 'ringing';

-- Why the desk keeps a letter back until the customer writes, '' when it does
-- not. A letter that an operator holds, or that is held in doubt, has none:
-- those never leave by themselves.
ALTER TABLE letters ADD COLUMN held TEXT NOT NULL DEFAULT '';
-- Texts and calls are letters to no domain.
CREATE INDEX letters_texts ON letters (to_address, id) WHERE to_domain = '';
