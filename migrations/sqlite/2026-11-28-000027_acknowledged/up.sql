-- How far each client has acknowledged the feed, a row for each time that it came further: of an event at a position the first
-- row beyond it says when the client had it. The same columns as in ../../postgres.

CREATE TABLE acknowledged (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    client TEXT NOT NULL,
    position BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (tenant, client, position)
) WITHOUT ROWID;

-- What was acknowledged before is known as of the last time.
INSERT INTO acknowledged (tenant, client, position, at)
SELECT tenant, client, position, asked FROM integration
WHERE position > 0 AND asked IS NOT NULL;

-- What is older than it is kept is looked for often, and most often there is none.
CREATE INDEX acknowledged_by_time ON acknowledged (tenant, at);
