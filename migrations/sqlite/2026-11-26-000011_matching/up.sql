-- Identity resolution: the keys that candidates are found by, as HMACs, and why somebody was or was not found to be somebody,
-- sealed under the key of the person of whom it tells. The same columns as in ../../postgres.

CREATE TABLE blocking_key (
    value BIGINT NOT NULL,
    resource BIGINT NOT NULL,
    PRIMARY KEY (value, resource)
) WITHOUT ROWID;
CREATE INDEX blocking_key_by_resource ON blocking_key (resource);

CREATE TABLE match_trace (
    subject BIGINT NOT NULL,
    candidate BIGINT NOT NULL,
    decided BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (subject, candidate)
) WITHOUT ROWID;
CREATE INDEX match_trace_by_candidate ON match_trace (candidate);
