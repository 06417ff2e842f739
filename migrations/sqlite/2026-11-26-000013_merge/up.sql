-- Persons who have been merged into others: their ids are names of those, and what it takes to split them again. And those of
-- whom a human has said that they are two. The same columns as in ../../postgres.

CREATE TABLE alias (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    uuid BLOB NOT NULL,
    survivor BIGINT NOT NULL,
    origin BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    groups TEXT NOT NULL,
    PRIMARY KEY (tenant, uuid)
) WITHOUT ROWID;
CREATE INDEX alias_by_survivor ON alias (survivor);

CREATE TABLE cannot_link (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    one BLOB NOT NULL,
    other BLOB NOT NULL,
    PRIMARY KEY (tenant, one, other)
) WITHOUT ROWID;
