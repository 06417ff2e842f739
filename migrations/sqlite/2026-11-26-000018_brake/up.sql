-- How many leavers a client has made lately, by kind of act, and what has been decided about more of them. The same columns as
-- in ../../postgres.

CREATE TABLE brake (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    client TEXT NOT NULL,
    act TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant, client, act)
) WITHOUT ROWID;
