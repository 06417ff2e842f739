-- Texts of policies that Security has approved, each until it is applied. The same columns as in ../../sqlite.

CREATE TABLE policy_approval (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    digest BYTEA NOT NULL,
    client TEXT NOT NULL,
    reason TEXT NOT NULL,
    approved BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);
