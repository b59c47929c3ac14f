-- The tree over the leaves. `unsequenced` says what waits for it; one sequencer moves it here. Tiles are as C2SP's tlog-tiles cuts
-- them, 256 leaves or hashes each; a row a full tile, so that nothing stands twice: a tile of hashes is the roots of the tiles below it.
CREATE TABLE stockpile.log_origin (
    log SMALLINT NOT NULL,
    origin TEXT NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT log_origin_pkey PRIMARY KEY (log),
    CONSTRAINT log_origin_numbered CHECK (log >= 1),
    CONSTRAINT log_origin_said CHECK (origin <> '' AND origin !~ '[[:space:]+]'),
    CONSTRAINT log_origin_origin_key UNIQUE (origin)
);
COMMENT ON TABLE stockpile.log_origin IS 'The log by its name; after each restore a new one, whose first leaf says where the one before ended.';

CREATE TABLE stockpile.leaf (
    log SMALLINT NOT NULL,
    leaf_index BIGINT NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT leaf_pkey PRIMARY KEY (log, leaf_index),
    CONSTRAINT leaf_numbered CHECK (leaf_index >= 0),
    CONSTRAINT leaf_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) BETWEEN 1 AND 5),
    CONSTRAINT leaf_log_fkey FOREIGN KEY(log) REFERENCES stockpile.log_origin (log)
) WITH (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE stockpile.leaf IS 'Leaves in the tree, until their tile is full.';
ALTER TABLE stockpile.unsequenced SET (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE stockpile.tile (
    log SMALLINT NOT NULL,
    level SMALLINT NOT NULL,
    tile_index BIGINT NOT NULL,
    root BYTEA NOT NULL,
    leaves BYTEA,
    CONSTRAINT tile_pkey PRIMARY KEY (log, level, tile_index),
    CONSTRAINT tile_level CHECK (level BETWEEN 0 AND 7),
    CONSTRAINT tile_numbered CHECK (tile_index >= 0),
    CONSTRAINT tile_root CHECK (octet_length(root) = 32),
    CONSTRAINT tile_leaves CHECK (CASE level WHEN 0 THEN leaves IS NOT NULL AND octet_length(leaves) = 65 * 256 ELSE leaves IS NULL END),
    CONSTRAINT tile_log_fkey FOREIGN KEY(log) REFERENCES stockpile.log_origin (log)
);
ALTER TABLE stockpile.tile ALTER COLUMN leaves SET STORAGE EXTERNAL;  -- hashes: nothing to compress
COMMENT ON TABLE stockpile.tile IS 'Full tiles of the tree.';
COMMENT ON COLUMN stockpile.tile.root IS 'hash over all that is under the tile';
COMMENT ON COLUMN stockpile.tile.leaves IS 'of level 0: its 256 leaves, 65 bytes each';

CREATE TABLE stockpile.checkpoint (
    log SMALLINT NOT NULL,
    tree_size BIGINT NOT NULL,
    root BYTEA NOT NULL,
    note TEXT NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT checkpoint_pkey PRIMARY KEY (log, tree_size),
    CONSTRAINT checkpoint_size CHECK (tree_size >= 1),
    CONSTRAINT checkpoint_root CHECK (octet_length(root) = 32),
    CONSTRAINT checkpoint_log_fkey FOREIGN KEY(log) REFERENCES stockpile.log_origin (log)
);
CREATE INDEX checkpoint_signed ON stockpile.checkpoint (log, signed_at);
COMMENT ON TABLE stockpile.checkpoint IS 'What the log signed: so many leaves under this root.';
COMMENT ON COLUMN stockpile.checkpoint.note IS 'the signed note of C2SP tlog-checkpoint, as it is served';

CREATE TABLE stockpile.cosignature (
    log SMALLINT NOT NULL,
    tree_size BIGINT NOT NULL,
    witness TEXT NOT NULL,
    line TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT cosignature_pkey PRIMARY KEY (log, tree_size, witness),
    CONSTRAINT cosignature_log_tree_size_fkey FOREIGN KEY(log, tree_size) REFERENCES stockpile.checkpoint (log, tree_size)
);
COMMENT ON TABLE stockpile.cosignature IS 'That a witness saw a checkpoint, and nothing before that contradicts it.';
COMMENT ON COLUMN stockpile.cosignature.witness IS 'the name of its key';
COMMENT ON COLUMN stockpile.cosignature.line IS 'its line of the note';

CREATE TABLE stockpile.log_statement (
    statement_id UUID NOT NULL,
    log SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    content JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seed BYTEA NOT NULL,
    leaf BYTEA NOT NULL,
    CONSTRAINT log_statement_pkey PRIMARY KEY (statement_id),
    CONSTRAINT log_statement_kind CHECK (kind IN ('key', 'restored', 'padding')),
    CONSTRAINT log_statement_seed CHECK (octet_length(seed) = 32),
    CONSTRAINT log_statement_leaf CHECK (octet_length(leaf) = 65 AND get_byte(leaf, 0) = CASE kind WHEN 'key' THEN 4 ELSE 5 END),
    CONSTRAINT log_statement_log_fkey FOREIGN KEY(log) REFERENCES stockpile.log_origin (log)
);
CREATE INDEX log_statement_of_log ON stockpile.log_statement (log, recorded_at);
COMMENT ON TABLE stockpile.log_statement IS 'What the log says of itself: a key that signs it, a restore that it follows, a leaf that only fills it up.';

CREATE TABLE stockpile.log_alarm (
    alarm_id UUID NOT NULL,
    log SMALLINT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    evidence TEXT,
    raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT log_alarm_pkey PRIMARY KEY (alarm_id),
    CONSTRAINT log_alarm_kind CHECK (kind IN ('signer refuses', 'witness conflict', 'verification failed')),
    CONSTRAINT log_alarm_log_fkey FOREIGN KEY(log) REFERENCES stockpile.log_origin (log)
);
CREATE INDEX log_alarm_raised ON stockpile.log_alarm (raised_at);
COMMENT ON TABLE stockpile.log_alarm IS 'What somebody must look into: the log and who watches it do not agree.';
COMMENT ON COLUMN stockpile.log_alarm.evidence IS 'the notes that contradict one another, as they came';

DO $$
DECLARE kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['log_origin', 'tile', 'checkpoint', 'cosignature', 'log_statement', 'log_alarm'] LOOP
        EXECUTE format('CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.%I FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never()', kept);
        EXECUTE format('GRANT SELECT, INSERT ON stockpile.%I TO stockpile_sequencer', kept);
        EXECUTE format('GRANT SELECT ON stockpile.%I TO stockpile_auditor, stockpile_registrar', kept);
    END LOOP;
END $$;
GRANT SELECT, INSERT, DELETE ON stockpile.leaf TO stockpile_sequencer;
GRANT INSERT ON stockpile.unsequenced TO stockpile_sequencer;
GRANT SELECT ON stockpile.leaf TO stockpile_auditor, stockpile_registrar;
REVOKE SELECT ON stockpile.log_statement FROM stockpile_auditor, stockpile_registrar;  -- not the seeds
GRANT SELECT (statement_id, log, kind, content, recorded_at, leaf) ON stockpile.log_statement
    TO stockpile_auditor, stockpile_registrar, stockpile_donor;
GRANT SELECT ON stockpile.log_alarm TO stockpile_poster;  -- commanders see them too
GRANT SELECT ON stockpile.log_origin, stockpile.leaf, stockpile.tile, stockpile.checkpoint, stockpile.cosignature
    TO stockpile_donor, stockpile_poster;
