-- What was promised on a ticket, and what a decision about it is made of.
--
-- A ticket that was there before has no clocks: its watch is 0 until something
-- happens to it.

-- promises and guess are JSON text. watch and next_due repeat what promises
-- says: watch is when its clocks want to be looked at, next_due when the first
-- running one is due. incident is the ticket of the major incident.
ALTER TABLE tickets ADD COLUMN tier BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN incident BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN watch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN next_due BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN promises TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN guess TEXT NOT NULL DEFAULT '';
CREATE INDEX tickets_watch ON tickets (brand, watch) WHERE watch > 0;
CREATE INDEX tickets_incident ON tickets (incident) WHERE incident > 0;
-- Not by brand first: a search for tickets of a brand by their ids would go
-- through it.
CREATE INDEX tickets_opened ON tickets (opened, brand);

-- The work of the agents is counted in this index alone.
DROP INDEX tickets_open;
CREATE INDEX tickets_open ON tickets (brand, status, assignee, severity) WHERE status IN ('new', 'open', 'pending', 'on_hold', 'resolved');

-- What an event means for the ticket's clocks, JSON text, '' nothing.
ALTER TABLE events ADD COLUMN clock TEXT NOT NULL DEFAULT '';
CREATE INDEX events_clock ON events (ticket, id) WHERE clock <> '';

ALTER TABLE people ADD COLUMN vip BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE people ADD COLUMN contract TEXT NOT NULL DEFAULT '';

-- Agents that are not there, from since until until.
CREATE TABLE away (
    agent TEXT PRIMARY KEY CHECK (agent <> ''),
    since BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- Tickets as people sorted them: what the classifier learns from.
CREATE TABLE lessons (
    ticket   @rowid@ REFERENCES tickets (id),
    text     TEXT NOT NULL,
    language TEXT NOT NULL,
    category TEXT NOT NULL,
    severity TEXT NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX lessons_at ON lessons (at);

-- What the tickets of the last days are about, so that like ones are found
-- without reading mails. Older rows are dropped as new ones come.
CREATE TABLE lately (
    ticket    @rowid@ REFERENCES tickets (id),
    opened    BIGINT NOT NULL,
    requester TEXT NOT NULL,
    words     TEXT NOT NULL
);
