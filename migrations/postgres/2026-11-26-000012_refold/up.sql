-- How far the records of a tenant have been folded anew under a version of its policy. The same columns as in ../../sqlite.

CREATE TABLE refold (
    tenant INTEGER NOT NULL PRIMARY KEY REFERENCES tenant (id),
    version BIGINT NOT NULL,
    position BIGINT NOT NULL,
    looked BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    finished BIGINT
);
