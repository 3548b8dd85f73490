-- What was sold to customers, what they said of its meters, and what they want
-- of letters that the desk sends of its own accord.
--
-- Dates are days, "2026-12-01", '' when there is none: they are in order as
-- texts.

-- owner is NULL while nobody knows who has it. worn repeats what the readings
-- say: pages of the newest one less those at the last service; 0 or less when
-- there is none since.
CREATE TABLE products (
    id             @identity@,
    brand          TEXT NOT NULL,
    owner          BIGINT REFERENCES people (id),
    serial         TEXT NOT NULL CHECK (serial <> ''),
    model          TEXT NOT NULL,
    kind           TEXT NOT NULL CHECK (kind IN ('laser', 'inkjet', 'other')),
    bought         TEXT NOT NULL,
    warranty_until TEXT NOT NULL,
    contract_until TEXT NOT NULL,
    contract       TEXT NOT NULL,
    serviced_at    BIGINT NOT NULL,
    serviced_on    TEXT NOT NULL,
    worn           BIGINT NOT NULL DEFAULT 0,
    retired        BOOLEAN NOT NULL,
    notes          TEXT NOT NULL,
    folded         TEXT NOT NULL, -- serial, model and contract in lower case, without accents: what a search compares
    changed        BIGINT NOT NULL,
    UNIQUE (brand, serial)
);
CREATE INDEX products_owner ON products (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX products_warranty ON products (brand, warranty_until) WHERE warranty_until <> '' AND retired = FALSE;
CREATE INDEX products_contract ON products (brand, contract_until) WHERE contract_until <> '' AND retired = FALSE;
CREATE INDEX products_worn ON products (brand, kind, worn) WHERE worn > 0 AND retired = FALSE;

-- Meter readings that somebody reported. None is removed.
CREATE TABLE readings (
    product BIGINT NOT NULL REFERENCES products (id),
    at      BIGINT NOT NULL,
    pages   BIGINT NOT NULL CHECK (pages >= 0),
    said_by TEXT NOT NULL,
    PRIMARY KEY (product, at, pages)
);

-- prefs, returned are JSON text, '' nothing.
ALTER TABLE people ADD COLUMN prefs TEXT NOT NULL DEFAULT '';

ALTER TABLE tickets ADD COLUMN product BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tickets ADD COLUMN returned TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN identity TEXT NOT NULL DEFAULT '';
CREATE INDEX tickets_product ON tickets (product, id) WHERE product > 0;
