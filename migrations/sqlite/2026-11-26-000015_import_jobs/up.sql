-- How far the import of a file has come: the next row is committed with the rows before it. The same columns as in ../../postgres.

CREATE TABLE import_job (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    system TEXT NOT NULL,
    file BLOB NOT NULL,
    mapping BLOB NOT NULL,
    name TEXT NOT NULL,
    previous BIGINT NOT NULL,
    position BIGINT NOT NULL,
    created BIGINT NOT NULL,
    joined BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    done BOOLEAN NOT NULL,
    started BIGINT NOT NULL,
    touched BIGINT NOT NULL,
    PRIMARY KEY (tenant, system, file, mapping)
) WITHOUT ROWID;
