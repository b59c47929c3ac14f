-- Whether a document is of a donor's weapons is asked of each, by its entries: as a plain EXISTS the planner first gathers a donor's every
-- entry to answer for one page of documents. A guest's holdings say themselves of which consignment they are.
DROP POLICY donor ON stockpile.document;
CREATE POLICY donor ON stockpile.document FOR SELECT TO stockpile_donor
    USING ((SELECT true FROM stockpile.entry e WHERE e.document_id = document.document_id LIMIT 1));
DROP POLICY guest ON stockpile.document;
CREATE POLICY guest ON stockpile.document FOR SELECT TO stockpile_guest
    USING ((SELECT true FROM stockpile.entry e WHERE e.document_id = document.document_id LIMIT 1));
DO $$ BEGIN
    DROP POLICY guest ON stockpile.holding;
    EXECUTE format('CREATE POLICY guest ON stockpile.holding FOR SELECT TO stockpile_guest USING (donor_id = %s AND consignment_id = ANY (%s))',
                   '(SELECT stockpile.own_donor())', '((SELECT stockpile.own_consignments())::uuid[])');
END $$;
