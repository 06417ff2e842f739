-- The roll of people and groups, what each source system says of them, the attribute index that every
-- filter runs on, and the log. The same tables, names and columns as in ../../postgres.

CREATE TABLE tenant (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- What this installation keeps for itself, such as the key of its entity tags.
CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
);

-- One row a record. `document` is the fold of its source records; `version` counts its changes.
CREATE TABLE resource (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    uuid BLOB NOT NULL,
    kind SMALLINT NOT NULL,
    account BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (tenant, uuid)
);
CREATE INDEX resource_by_kind ON resource (tenant, kind, id);
CREATE INDEX resource_by_account ON resource (tenant, kind, id) WHERE account;

-- What one system says of one record. `origin` is the record it was first attached to.
CREATE TABLE source_record (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    resource BIGINT NOT NULL REFERENCES resource (id),
    origin BIGINT NOT NULL,
    system TEXT NOT NULL,
    external_id TEXT,
    first_seen BIGINT NOT NULL,
    last_synced BIGINT NOT NULL,
    claims TEXT NOT NULL
);
CREATE INDEX source_record_by_resource ON source_record (resource);

-- Interned: tenant, kind of record and attribute path.
CREATE TABLE attribute_path (
    id INTEGER NOT NULL PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    kind SMALLINT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (tenant, kind, name)
);

-- `value` is normalized so that byte order is the attribute's order. A very long value stands here by a
-- prefix and a hash, and whole in `whole`.
CREATE TABLE attribute_index (
    resource BIGINT NOT NULL,
    path INTEGER NOT NULL,
    element INTEGER NOT NULL,
    value TEXT NOT NULL,
    whole TEXT,
    PRIMARY KEY (resource, path, element, value)
) WITHOUT ROWID;
CREATE INDEX attribute_index_by_value ON attribute_index (path, value, resource);

CREATE TABLE unique_value (
    tenant INTEGER NOT NULL,
    path INTEGER NOT NULL,
    value TEXT NOT NULL,
    resource BIGINT NOT NULL,
    PRIMARY KEY (tenant, path, value)
) WITHOUT ROWID;
CREATE INDEX unique_value_by_resource ON unique_value (resource);

CREATE TABLE group_member (
    grp BIGINT NOT NULL REFERENCES resource (id),
    member BIGINT NOT NULL REFERENCES resource (id),
    PRIMARY KEY (grp, member)
) WITHOUT ROWID;
CREATE INDEX group_member_by_member ON group_member (member, grp);

-- Append-only. `version` is the version of the resource that this event explains, if it made one.
CREATE TABLE event (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    type TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource BLOB NOT NULL,
    version BIGINT,
    recorded BIGINT NOT NULL,
    client TEXT NOT NULL,
    correlation TEXT NOT NULL,
    format SMALLINT NOT NULL,
    key_id TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX event_by_version ON event (tenant, resource, version);
CREATE INDEX event_by_correlation ON event (tenant, correlation);
CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event
BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT raise(ABORT, 'events are append-only'); END;
