-- Who is signed in. The same columns as in ../../postgres.

-- Kept under the SHA-256 of the cookie, so that nobody signs in by reading the table.
CREATE TABLE session (
    hash BLOB NOT NULL PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    client TEXT NOT NULL,
    opened BIGINT NOT NULL,
    seen BIGINT NOT NULL
);
CREATE INDEX session_by_seen ON session (seen);
