-- Values that were kept out of a record because another has them, of whom the writer may not know: a human is asked whether the
-- two are one, later, so that nothing of it shows in the answer. The same columns as in ../../sqlite.

CREATE TABLE withheld (
    tenant INTEGER NOT NULL REFERENCES tenant (id),
    subject BYTEA NOT NULL,
    holder BYTEA NOT NULL,
    system TEXT NOT NULL,
    noted BIGINT NOT NULL,
    PRIMARY KEY (tenant, subject, holder, system)
);
