DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.physical_count) OR EXISTS (SELECT FROM stockpile.seal) THEN
        RAISE EXCEPTION 'the books hold counts, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP FUNCTION stockpile.withdraw_found(uuid, text);
DROP FUNCTION stockpile.verify_counted(uuid);
DROP FUNCTION stockpile.moved_since(uuid[], timestamptz);
DROP FUNCTION stockpile.stood_when(uuid[], timestamptz[]);
ALTER TABLE stockpile.discrepancy DROP CONSTRAINT discrepancy_explained;
ALTER TABLE stockpile.discrepancy ADD CONSTRAINT discrepancy_explained CHECK (outcome IS NULL OR explained_by IS NOT NULL);
ALTER TABLE stockpile.discrepancy DROP COLUMN explained_by_count;
DROP TABLE stockpile.count_period;
DROP TABLE stockpile.count_finding;
DROP TABLE stockpile.count_line;
DROP TABLE stockpile.count_batch;
DROP TABLE stockpile.seal_line;
DROP TABLE stockpile.seal;
DROP TABLE stockpile.count_item;
DROP TABLE stockpile.count_account;
DROP TABLE stockpile.count_counter;
DROP TABLE stockpile.physical_count;
DROP FUNCTION stockpile.count_stage();
