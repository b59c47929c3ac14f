-- Documents may rest on these.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.signature) THEN
        RAISE EXCEPTION 'documents were signed here: the older schema would lose the signatures' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP TABLE stockpile.signature;
