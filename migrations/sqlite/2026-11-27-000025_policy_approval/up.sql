-- Texts of policies that Security has approved, each until it is applied. The same columns as in ../../postgres.

CREATE TABLE policy_approval (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    digest BLOB NOT NULL,
    client TEXT NOT NULL,
    reason TEXT NOT NULL,
    approved BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
