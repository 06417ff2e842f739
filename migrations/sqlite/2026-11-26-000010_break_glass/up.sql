-- Purposes that a client has for a while, asked for by one and approved by another. The same columns as in ../../postgres.

CREATE TABLE break_glass (
    id BLOB NOT NULL PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    client TEXT NOT NULL,
    purpose TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    reason TEXT NOT NULL,
    requested BIGINT NOT NULL,
    requested_by TEXT NOT NULL,
    approved_by TEXT,
    until BIGINT,
    changes BIGINT NOT NULL
) WITHOUT ROWID;
