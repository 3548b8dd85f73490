-- What customers were asked after a ticket was closed and what they answered,
-- the points that brought them, and who came by whose word.

-- One row for each ticket that was closed; it is written with the closure. due
-- is when the customer is to be asked, follow_up when they are asked whether it
-- still works; 0 once that was seen to. asked is 0 until the letter is written;
-- why says why it never was. answered is when the first answer came.
CREATE TABLE surveys (
    id        @number@,
    brand     TEXT NOT NULL,
    ticket    BIGINT NOT NULL UNIQUE REFERENCES tickets (id),
    person    BIGINT NOT NULL,
    address   TEXT NOT NULL, -- that was asked; '' nobody yet
    agent     TEXT NOT NULL, -- who resolved it
    category  TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('', 'csat', 'ces', 'nps')),
    due       BIGINT NOT NULL,
    follow_up BIGINT NOT NULL,
    asked     BIGINT NOT NULL DEFAULT 0,
    answered  BIGINT NOT NULL DEFAULT 0,
    score     BIGINT NOT NULL DEFAULT 0,
    comment   TEXT NOT NULL DEFAULT '',
    why       TEXT NOT NULL DEFAULT ''
);
CREATE INDEX surveys_due ON surveys (brand, due) WHERE due > 0;
CREATE INDEX surveys_follow_up ON surveys (brand, follow_up) WHERE follow_up > 0;
CREATE INDEX surveys_address ON surveys (address, brand, asked) WHERE asked > 0;
CREATE INDEX surveys_asked ON surveys (brand, asked) WHERE asked > 0;
CREATE INDEX surveys_answered ON surveys (answered, brand) WHERE answered > 0;
CREATE INDEX surveys_person ON surveys (person, asked) WHERE asked > 0;

-- When somebody was last asked, by each address and number of theirs, over all
-- brands. Whoever asks locks the rows first: two brands never ask one customer
-- in the same moment.
CREATE TABLE surveyed (
    address TEXT PRIMARY KEY CHECK (address <> ''),
    at      BIGINT NOT NULL
);

-- The ledger of points. None is changed or removed.
CREATE TABLE points (
    id     @identity@,
    key    TEXT NOT NULL UNIQUE,
    brand  TEXT NOT NULL,
    person BIGINT NOT NULL REFERENCES people (id),
    points BIGINT NOT NULL,
    why    TEXT NOT NULL,
    at     BIGINT NOT NULL
);
CREATE INDEX points_person ON points (person, id);

-- The word by which a customer recommends us.
CREATE TABLE referral_codes (
    brand  TEXT NOT NULL,
    code   TEXT NOT NULL CHECK (code <> ''),
    person BIGINT NOT NULL REFERENCES people (id),
    PRIMARY KEY (brand, code)
);
CREATE UNIQUE INDEX referral_codes_person ON referral_codes (person);

-- Who came by whose word: at most once each. It is open until the ticket they
-- came with is resolved.
CREATE TABLE referrals (
    person   @rowid@ REFERENCES people (id), -- who came
    brand    TEXT NOT NULL,
    referrer BIGINT NOT NULL, -- whose word it was
    ticket   BIGINT NOT NULL REFERENCES tickets (id),
    at       BIGINT NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'refused')),
    ended    BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX referrals_open ON referrals (brand, ticket) WHERE state = 'open';
CREATE INDEX referrals_referrer ON referrals (referrer);
