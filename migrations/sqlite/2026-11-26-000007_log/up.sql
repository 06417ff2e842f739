-- The log, sealed: every event has its leaf in the Merkle tree of its tenant. The same columns as in ../../postgres.

-- The positions of a tenant are gapless, from 0. What is sealed stays: a leaf names the row of its event and its id.
CREATE TABLE log_leaf (
    tenant INTEGER NOT NULL,
    position BIGINT NOT NULL,
    seq BIGINT NOT NULL UNIQUE,
    event BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, position)
) WITHOUT ROWID;

-- The roots of complete subtrees of 256^level leaves: 256 of them in a row are a tile.
CREATE TABLE log_node (
    tenant INTEGER NOT NULL,
    level SMALLINT NOT NULL,
    position BIGINT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, level, position)
) WITHOUT ROWID;

-- How far a tenant's tree has grown, and its frontier.
CREATE TABLE log_tree (
    tenant INTEGER NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    peaks BLOB NOT NULL
);

-- The signed heads of the trees.
CREATE TABLE log_head (
    tenant INTEGER NOT NULL,
    size BIGINT NOT NULL,
    root BLOB NOT NULL,
    at BIGINT NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (tenant, size)
) WITHOUT ROWID;

-- One row: every event up to this one has its leaf, and none will come before it.
CREATE TABLE log_horizon (
    id SMALLINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL
);
INSERT INTO log_horizon (id, seq) VALUES (1, 0);

CREATE TRIGGER log_leaf_is_never_updated BEFORE UPDATE ON log_leaf
BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_leaf_is_never_deleted BEFORE DELETE ON log_leaf
BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_head_is_never_updated BEFORE UPDATE ON log_head
BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_head_is_never_deleted BEFORE DELETE ON log_head
BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
