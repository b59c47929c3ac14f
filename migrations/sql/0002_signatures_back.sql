-- What signing needs to know of a party: the current name and the secret that salts its digest.
CREATE OR REPLACE FUNCTION stockpile.signatures(parties uuid[])
RETURNS TABLE (party_id uuid, code text, name text, rank text, name_version integer, secret bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.party_id, p.code, p.name, p.rank, p.name_version, p.secret FROM party p WHERE p.party_id = ANY (parties);
END $$;
