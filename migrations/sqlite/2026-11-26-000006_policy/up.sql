-- The policy of each tenant, version by version; a second stamp of the last change, for those from whom something is
-- hidden; and what the log is searched by. The same columns as in ../../postgres.

-- Append-only: to go back is a new version with an old text.
CREATE TABLE policy (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    version BIGINT NOT NULL,
    applied BIGINT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT,
    body BLOB NOT NULL,
    PRIMARY KEY (tenant, version)
);

-- When what no row of masking names last changed.
ALTER TABLE resource ADD COLUMN modified_open BIGINT NOT NULL DEFAULT 0;
UPDATE resource SET modified_open = modified;
CREATE INDEX resource_by_modified_open ON resource (tenant, kind, modified_open, id, account);

-- Attributes by name, between spaces; values are in the body alone.
ALTER TABLE event ADD COLUMN purpose TEXT;
ALTER TABLE event ADD COLUMN attributes TEXT;
-- Whom a read was of, if of several.
CREATE TABLE event_subject (
    tenant INTEGER NOT NULL,
    subject BLOB NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (tenant, subject, event)
) WITHOUT ROWID;
CREATE INDEX event_by_time ON event (tenant, recorded, seq);
