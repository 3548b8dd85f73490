-- Several nodes on one database. A lease's epoch rises with each holder: it is
-- the fencing token that a late writer is refused by.
ALTER TABLE leases ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
-- Since when this holder has it, and what a node says of itself (its version).
ALTER TABLE leases ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE leases ADD COLUMN data TEXT NOT NULL DEFAULT '';

-- The highest epoch that wrote a cursor.
ALTER TABLE cursors ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- Who claimed it last: the claims of a node that died are ended by the others.
ALTER TABLE ledger ADD COLUMN node TEXT NOT NULL DEFAULT '';
ALTER TABLE letters ADD COLUMN node TEXT NOT NULL DEFAULT '';
