DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.donor_statement) THEN
        RAISE EXCEPTION 'the books hold statements of donors, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
REVOKE INSERT (leaf) ON stockpile.unsequenced FROM stockpile_donor;
DROP TABLE stockpile.donor_file;
DROP TABLE stockpile.donor_statement;
DROP FUNCTION stockpile.certificates_in_force(uuid[]);
DROP FUNCTION stockpile.may_answer(uuid, uuid, uuid);
