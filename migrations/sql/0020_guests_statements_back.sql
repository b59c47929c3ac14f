ALTER POLICY guest ON stockpile.donor_statement USING (
    donor_id = (SELECT stockpile.own_donor()) AND site_id IS NOT NULL
    AND reference IN (SELECT c.reference FROM stockpile.consignment c));
