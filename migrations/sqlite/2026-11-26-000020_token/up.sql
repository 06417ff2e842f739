-- The tokens of the server's own issuer: that they were issued, and never what they are. The same columns as in
-- ../../postgres.

CREATE TABLE token (
    jti BLOB NOT NULL PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    client TEXT NOT NULL,
    issued BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT,
    revoked_by TEXT,
    warned INTEGER NOT NULL,
    changes BIGINT NOT NULL
) WITHOUT ROWID;
