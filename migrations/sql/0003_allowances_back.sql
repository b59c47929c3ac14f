DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.allowance) THEN
        RAISE EXCEPTION 'the books hold allowances, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP FUNCTION stockpile.last_seen(uuid[]);
DROP FUNCTION stockpile.inspections_of(uuid[], timestamptz);
DROP TABLE stockpile.allowance;
