-- A tenant's key, wrapped by the key-encryption key of that id; and the data key of each person, wrapped by the tenant's.
-- A person's key outlives the record, whose events are still to be read: only erasure destroys it. `resource` is the
-- record's number, which is never given twice. The same tables as in ../../sqlite.

CREATE TABLE tenant_key (
    tenant INTEGER NOT NULL PRIMARY KEY REFERENCES tenant (id),
    kek TEXT NOT NULL,
    wrapped BYTEA NOT NULL
);

CREATE TABLE person_key (
    resource BIGINT NOT NULL PRIMARY KEY,
    wrapped BYTEA NOT NULL
);

-- By what a secret value is found: its HMAC-SHA-256 under a key of its tenant and its attribute, whose path is interned.
CREATE TABLE blind_index (
    path INTEGER NOT NULL,
    value BYTEA NOT NULL,
    resource BIGINT NOT NULL,
    PRIMARY KEY (path, value, resource)
);
CREATE INDEX blind_index_by_resource ON blind_index (resource);
