DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.audit_judgement) THEN
        RAISE EXCEPTION 'near matches were judged here: the older schema would forget it' USING ERRCODE = 'check_violation';
    END IF;
END $$;
ALTER TABLE stockpile.job DROP COLUMN doing;
ALTER TABLE stockpile.audit_finding DROP COLUMN right_key;
DROP TABLE stockpile.audit_judgement;
ALTER TABLE stockpile.register DROP CONSTRAINT register_importer_digest, DROP CONSTRAINT register_importer,
    DROP COLUMN imported_by_version, DROP COLUMN imported_by_digest;
DROP TABLE stockpile.register_repeated;
