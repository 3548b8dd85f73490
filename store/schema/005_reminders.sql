-- What schedules found to be due, and when they ran last.

-- One row for each schedule of a brand: at is the last occurrence that was seen
-- to, doubted when the clock first claimed a gap that is hard to believe.
CREATE TABLE runs (
    brand    TEXT NOT NULL,
    schedule TEXT NOT NULL,
    at       BIGINT NOT NULL,
    doubted  BIGINT NOT NULL,
    PRIMARY KEY (brand, schedule)
);

-- Each thing that a schedule found happens once: the row is written before its
-- letter is, and for ever. day is the first day on which the customer may be
-- told, in the customer's zone; date that of the event, '' none. next is when a
-- waiting row is looked at again. told is the day of the letter, letter its key.
--
-- A row whose subject names the product alone ("product:17", where others say
-- "product:17:30") stops all that is found of its occurrence.
CREATE TABLE due (
    id         @identity@,
    brand      TEXT NOT NULL,
    schedule   TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    subject    TEXT NOT NULL,
    person     BIGINT NOT NULL,
    product    BIGINT NOT NULL,
    date       TEXT NOT NULL,
    days       BIGINT NOT NULL,
    pages      BIGINT NOT NULL,
    day        TEXT NOT NULL,
    found      BIGINT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'stopped', 'expired')),
    why        TEXT NOT NULL,
    next       BIGINT NOT NULL,
    settled    BIGINT NOT NULL,
    told       TEXT NOT NULL,
    letter     TEXT NOT NULL,
    UNIQUE (brand, schedule, occurrence, subject)
);
CREATE INDEX due_waiting ON due (brand, next) WHERE state = 'waiting';
CREATE INDEX due_person ON due (person, state, told);
CREATE INDEX due_product ON due (product, schedule);
CREATE INDEX due_sent ON due (brand, settled, letter) WHERE state = 'sent';
