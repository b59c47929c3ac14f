DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.case_file) THEN
        RAISE EXCEPTION 'the books hold cases, which the older schema has no place for' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP FUNCTION stockpile.open_cases_of(uuid[]);
DROP TABLE stockpile.case_part, stockpile.case_file;
DROP FUNCTION stockpile.case_part_follows();
