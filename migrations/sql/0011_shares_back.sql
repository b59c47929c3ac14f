DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.donor_statement WHERE kind IN ('share', 'withdrawn')) THEN
        RAISE EXCEPTION 'donors shared consignments here, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP POLICY donor_adds ON stockpile.donor_statement;
CREATE POLICY donor_adds ON stockpile.donor_statement FOR INSERT TO stockpile_donor
    WITH CHECK (donor_id = (SELECT stockpile.own_donor()) AND kind IN ('declaration', 'end-user certificate', 'consent'));
DROP FUNCTION stockpile.shared_with_me();
DROP FUNCTION stockpile.is_share(uuid, uuid);
DROP INDEX stockpile.donor_statement_share;
ALTER TABLE stockpile.donor_statement DROP CONSTRAINT donor_statement_kind;
ALTER TABLE stockpile.donor_statement ADD CONSTRAINT donor_statement_kind CHECK (kind IN ('declaration', 'end-user certificate', 'consent', 'delivery verification', 'accepted', 'sent back'));
ALTER TABLE stockpile.donor_statement DROP CONSTRAINT donor_statement_answers;
ALTER TABLE stockpile.donor_statement ADD CONSTRAINT donor_statement_answers CHECK ((answers IS NOT NULL) = (kind IN ('accepted', 'sent back')));
