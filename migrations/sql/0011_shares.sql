-- A donor shares a consignment with another donor, and takes that back: both are statements of its own, leaves of the log. What a share
-- opens, the partner reads as `stockpile_guest`.
ALTER TABLE stockpile.donor_statement DROP CONSTRAINT donor_statement_kind;
ALTER TABLE stockpile.donor_statement ADD CONSTRAINT donor_statement_kind CHECK (kind IN ('declaration', 'end-user certificate', 'consent', 'delivery verification', 'accepted', 'sent back', 'share', 'withdrawn'));
ALTER TABLE stockpile.donor_statement DROP CONSTRAINT donor_statement_answers;
ALTER TABLE stockpile.donor_statement ADD CONSTRAINT donor_statement_answers CHECK ((answers IS NOT NULL) = (kind IN ('accepted', 'sent back', 'withdrawn')));
CREATE INDEX donor_statement_share ON stockpile.donor_statement ((content->>'partner')) WHERE kind = 'share';

-- Whether a donor may take it back: a share of its own.
CREATE FUNCTION stockpile.is_share(donor uuid, statement uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT EXISTS (SELECT FROM donor_statement s WHERE s.donor_id = donor AND s.statement_id = statement AND s.kind = 'share' AND donor = own_donor())
$$;

-- What other donors share with who asks, as it stands at this moment: the donor that shares names its partner by the code.
CREATE FUNCTION stockpile.shared_with_me()
RETURNS TABLE (share_id uuid, donor_id uuid, donor text, donor_name text, reference text, consignment_id uuid, words text, shared_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT s.statement_id, s.donor_id, p.code, p.name, s.reference, c.consignment_id, s.content->>'words', s.recorded_at
    FROM party me JOIN donor_statement s ON s.kind = 'share' AND s.content->>'partner' = me.code AND s.donor_id <> me.party_id
    JOIN party p ON p.party_id = s.donor_id
    JOIN consignment c ON c.donor_id = s.donor_id AND c.reference = s.reference
    WHERE me.party_id = own_donor() AND me.kind = 'donor'
      AND NOT EXISTS (SELECT FROM donor_statement w WHERE w.donor_id = s.donor_id AND w.answers = s.statement_id AND w.kind = 'withdrawn')
$$;
REVOKE EXECUTE ON FUNCTION stockpile.is_share(uuid, uuid), stockpile.shared_with_me() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockpile.is_share(uuid, uuid), stockpile.shared_with_me() TO stockpile_donor;

DROP POLICY donor_adds ON stockpile.donor_statement;
CREATE POLICY donor_adds ON stockpile.donor_statement FOR INSERT TO stockpile_donor
    WITH CHECK (donor_id = (SELECT stockpile.own_donor()) AND CASE kind
                    WHEN 'declaration' THEN true WHEN 'end-user certificate' THEN true WHEN 'consent' THEN true
                    WHEN 'share' THEN EXISTS (SELECT FROM stockpile.consignment c WHERE c.reference = donor_statement.reference)
                    WHEN 'withdrawn' THEN stockpile.is_share(donor_id, answers)
                    ELSE false END);
