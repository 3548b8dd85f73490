-- When the database was put back from a backup: what came or was due before at,
-- the desk may have answered already, in the time that the backup does not know.
-- newest is the last thing that the backup knew of.
CREATE TABLE restores (
    at     BIGINT PRIMARY KEY,
    newest BIGINT NOT NULL
);
