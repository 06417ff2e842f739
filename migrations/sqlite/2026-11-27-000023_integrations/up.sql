-- How far each client has read the feed (the position that it last asked after, and when), and when it last wrote. The same
-- columns as in ../../postgres.

CREATE TABLE integration (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    client TEXT NOT NULL,
    position BIGINT,
    asked BIGINT,
    wrote BIGINT,
    PRIMARY KEY (tenant, client)
) WITHOUT ROWID;
