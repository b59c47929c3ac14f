DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.audit) THEN
        RAISE EXCEPTION 'the books hold audits, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP TABLE stockpile.audit_matched;
DROP TABLE stockpile.audit_finding;
DROP TABLE stockpile.audit;
DROP FUNCTION stockpile.closed_audits();
