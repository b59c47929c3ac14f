DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.donor_statement WHERE kind IN ('planned visit', 'visit', 'refused visit', 'disposition report', 'answered')) THEN
        RAISE EXCEPTION 'the books hold visits or reports of holders, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP TABLE stockpile.visit_line;
DROP TABLE stockpile.monitoring_plan;
DROP POLICY donor_visits ON stockpile.donor_statement;
DROP POLICY poster_of_visits ON stockpile.donor_statement;
DROP POLICY registrar_of_visits ON stockpile.donor_statement;
DROP FUNCTION stockpile.said_just_now(uuid, uuid, uuid, text[]);
DROP FUNCTION stockpile.may_answer_visit(uuid, uuid, uuid);
ALTER TABLE stockpile.donor_statement DROP CONSTRAINT donor_statement_visit_site, DROP CONSTRAINT donor_statement_answers, DROP CONSTRAINT donor_statement_kind;
ALTER TABLE stockpile.donor_statement
    ADD CONSTRAINT donor_statement_kind CHECK (kind IN ('declaration', 'end-user certificate', 'consent', 'delivery verification', 'accepted', 'sent back', 'share', 'withdrawn')),
    ADD CONSTRAINT donor_statement_answers CHECK ((answers IS NOT NULL) = (kind IN ('accepted', 'sent back', 'withdrawn')));
