-- Writes that were refused for what they said, one row for each way in which a client was: never what they said. The same
-- columns as in ../../postgres.

CREATE TABLE refused_write (
    id BLOB NOT NULL PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    digest BLOB NOT NULL,
    client TEXT NOT NULL,
    system TEXT NOT NULL,
    route TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    status SMALLINT NOT NULL,
    scim_type TEXT,
    detail TEXT NOT NULL,
    correlation TEXT NOT NULL,
    body BLOB,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    count BIGINT NOT NULL,
    resolved BIGINT,
    resolved_by TEXT,
    note TEXT
);
CREATE UNIQUE INDEX refused_write_by_digest ON refused_write (tenant, digest);
CREATE INDEX refused_write_by_resolution ON refused_write (tenant, resolved, last_seen);
