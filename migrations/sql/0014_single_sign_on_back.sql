-- The older schema can't keep who comes in by whose word; a country that has providers stays with this one.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.sign_in_provider) THEN
        RAISE EXCEPTION 'people sign in here by providers: the older schema would lose them' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DO $$
DECLARE
    after text := pg_get_functiondef('stockpile.authenticate_session(bytea, boolean)'::regprocedure);
BEGIN
    EXECUTE replace(after, 'e.how = ''badge and PIN''', 'e.how <> ''password''');
END $$;
DROP FUNCTION stockpile.sign_in_begun(bytea, bytea, uuid, text, text, text, text, uuid, uuid), stockpile.sign_in_returned(bytea, bytea, uuid),
    stockpile.forget_bindings(uuid);
DROP INDEX stockpile.session_of_binding;
ALTER TABLE stockpile.session DROP CONSTRAINT session_binding;
ALTER TABLE stockpile.session DROP CONSTRAINT session_how;
ALTER TABLE stockpile.session ADD CONSTRAINT session_how CHECK (how IN ('password', 'badge and PIN'));
ALTER TABLE stockpile.session DROP COLUMN binding_id;
DROP TABLE stockpile.sign_in_flow, stockpile.sign_in_request, stockpile.sign_in_binding, stockpile.sign_in_provider;
DROP FUNCTION stockpile.vouches_for(uuid, uuid);
