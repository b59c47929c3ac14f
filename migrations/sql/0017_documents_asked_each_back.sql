DO $$ BEGIN
    DROP POLICY guest ON stockpile.holding;
    EXECUTE format('CREATE POLICY guest ON stockpile.holding FOR SELECT TO stockpile_guest
                    USING (donor_id = %s AND item_id IN (SELECT i.item_id FROM stockpile.item i))', '(SELECT stockpile.own_donor())');
END $$;
DROP POLICY guest ON stockpile.document;
CREATE POLICY guest ON stockpile.document FOR SELECT TO stockpile_guest
    USING (EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = document.document_id));
DROP POLICY donor ON stockpile.document;
CREATE POLICY donor ON stockpile.document FOR SELECT TO stockpile_donor
    USING (EXISTS (SELECT FROM stockpile.entry e WHERE e.document_id = document.document_id));
