-- What came of requests that carry a key of their own, and whom their answers name. The same columns as in ../../postgres.

-- The key is a hash of the client and what it calls the request, the fingerprint one of what the request says: both under
-- a key of the tenant's. The answer is sealed.
CREATE TABLE idempotency (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    turn BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    lease BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    resource BLOB,
    came SMALLINT,
    progress TEXT,
    answer BLOB,
    UNIQUE (tenant, key)
);
CREATE INDEX idempotency_by_expires ON idempotency (expires);

CREATE TABLE idempotency_name (
    request BIGINT NOT NULL REFERENCES idempotency (id) ON DELETE CASCADE,
    name BLOB NOT NULL,
    PRIMARY KEY (request, name)
) WITHOUT ROWID;
CREATE INDEX idempotency_name_by_name ON idempotency_name (name);
