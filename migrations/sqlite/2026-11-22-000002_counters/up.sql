-- How many records there are, so that an unfiltered total costs the same at any number of them, and the
-- orders of time as indexes, so that a page in them does too. The same as in ../../postgres.

-- The sum over `shard` is exact. SQLite, with its one writer, has one shard.
CREATE TABLE record_count (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    kind SMALLINT NOT NULL,
    account BOOLEAN NOT NULL,
    shard SMALLINT NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (tenant, kind, account, shard)
) WITHOUT ROWID;
INSERT INTO record_count (tenant, kind, account, shard, n)
SELECT tenant, kind, account, 0, count(*) FROM resource GROUP BY tenant, kind, account;

CREATE INDEX resource_by_created ON resource (tenant, kind, created, id, account);
CREATE INDEX resource_by_modified ON resource (tenant, kind, modified, id, account);
-- Persons without an account: what a search over all types lists after the Users.
CREATE INDEX resource_without_account ON resource (tenant, kind, id) WHERE NOT account;
