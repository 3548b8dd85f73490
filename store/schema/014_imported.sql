-- What other desks called the conversations that were imported: the number that
-- their subjects carry. source is which desk it was.
CREATE TABLE foreign_numbers (
    brand  TEXT NOT NULL,
    number TEXT NOT NULL CHECK (number <> ''), -- in lower case
    source TEXT NOT NULL,
    ticket BIGINT NOT NULL REFERENCES tickets (id),
    PRIMARY KEY (brand, number, source)
);
CREATE INDEX foreign_numbers_ticket ON foreign_numbers (ticket);
