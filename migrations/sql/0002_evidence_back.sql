DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.note) OR EXISTS (SELECT FROM stockpile.erasure_order) THEN
        RAISE EXCEPTION 'the books hold notes or erasures, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP FUNCTION stockpile.erase_person(uuid, jsonb, jsonb), stockpile.taken_out_of(uuid, text, text), stockpile.names_person(text, uuid),
    stockpile.plain_letters(text), stockpile.only_taken_out(text, text), stockpile.documents_of_file(text);
DROP TRIGGER only_by_erasure ON stockpile.register_line;
DROP TRIGGER never_moves ON stockpile.register_line;
DROP TRIGGER never ON stockpile.register_line;
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.register_line FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
DROP TRIGGER only_by_erasure ON stockpile.carrier_hand_over;
DROP TRIGGER never ON stockpile.carrier_hand_over;
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.carrier_hand_over FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
DROP FUNCTION stockpile.only_by_erasure();
DROP INDEX stockpile.document_attachments;
DROP TABLE stockpile.register_erasure, stockpile.erased_file, stockpile.erasure, stockpile.erasure_order, stockpile.note;
