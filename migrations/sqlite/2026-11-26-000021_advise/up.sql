-- Models of matching that were trained here, each version kept. And of pairs of whom a human has said that they are two the
-- source records, as HMACs, with what was known of both then. The same columns as in ../../postgres.

CREATE TABLE matching_model (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    name TEXT NOT NULL,
    version BIGINT NOT NULL,
    created BIGINT NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (tenant, name, version)
) WITHOUT ROWID;

CREATE TABLE known_apart (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    one BIGINT NOT NULL,
    other BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (tenant, one, other)
) WITHOUT ROWID;
