-- Checkpoints may lie with others: a log that was signed is not taken back.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.log_origin) THEN
        RAISE EXCEPTION 'the log has begun here: the older schema would lose it' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP TABLE stockpile.log_alarm, stockpile.log_statement, stockpile.cosignature, stockpile.checkpoint, stockpile.tile, stockpile.leaf, stockpile.log_origin;
ALTER TABLE stockpile.unsequenced RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor);
REVOKE INSERT ON stockpile.unsequenced FROM stockpile_sequencer;
