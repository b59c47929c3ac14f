-- What signing needs to know of a party: the current name and the secret that salts its digest. Nobody is erased until the
-- end of the transaction that asks; who was erased while it waited has no secret.
CREATE OR REPLACE FUNCTION stockpile.signatures(parties uuid[])
RETURNS TABLE (party_id uuid, code text, name text, rank text, name_version integer, secret bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM party p WHERE p.party_id = ANY (parties) ORDER BY p.party_id FOR KEY SHARE;
    RETURN QUERY
    SELECT p.party_id, p.code, p.name, p.rank, p.name_version, p.secret FROM party p WHERE p.party_id = ANY (parties);
END $$;
