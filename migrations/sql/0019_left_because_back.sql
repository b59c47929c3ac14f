DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.assignment WHERE ended_because IS NOT NULL) THEN
        RAISE EXCEPTION 'the books say why people left, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
ALTER TABLE stockpile.assignment DROP COLUMN ended_because;
