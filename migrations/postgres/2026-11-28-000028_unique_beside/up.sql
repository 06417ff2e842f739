-- Records that have a value which another holds in unique_value, of whom the writer may not know: they stand beside it until a
-- human has said whether the two are one. The same columns as in ../../sqlite.

CREATE TABLE unique_beside (
    tenant INTEGER NOT NULL,
    path INTEGER NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    resource BIGINT NOT NULL REFERENCES resource (id) ON DELETE CASCADE,
    PRIMARY KEY (tenant, path, value, resource)
);

CREATE INDEX unique_beside_by_resource ON unique_beside (resource);
