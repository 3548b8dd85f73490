-- Which articles of the knowledge base were shown to a customer, inserted into
-- an answer by an agent, and solved a ticket by the customer's own word. Once
-- each: a ticket is acknowledged once, and pressing twice solves nothing twice.
--
-- article is the id that stands in the article's file, which may be gone by now.
CREATE TABLE article_uses (
    ticket  BIGINT NOT NULL REFERENCES tickets (id),
    article TEXT NOT NULL CHECK (article <> ''),
    what    TEXT NOT NULL CHECK (what IN ('shown', 'inserted', 'solved')),
    brand   TEXT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (ticket, article, what)
);
CREATE INDEX article_uses_at ON article_uses (brand, at);

-- Which tickets have something that goes back.
CREATE INDEX tickets_returned ON tickets (id) WHERE returned <> '';
