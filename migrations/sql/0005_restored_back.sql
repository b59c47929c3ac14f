DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.restoration) THEN
        RAISE EXCEPTION 'the books were restored and go on in a new series, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION stockpile.book_taken(site uuid, wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT kind FROM (
        SELECT kind FROM book WHERE site_id = site AND code = wanted
        UNION ALL SELECT 'device' FROM device WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM token WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM counter WHERE site_id = site AND book_code = wanted) holder
    WHERE own_site() IS NULL OR own_site() = site
    LIMIT 1
$$;
CREATE OR REPLACE FUNCTION stockpile.book_opened() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('books of ' || NEW.site_id, 0));
    RETURN NEW;
END $$;
ALTER TABLE stockpile.book
    DROP CONSTRAINT book_in_use,
    DROP CONSTRAINT book_counter_code,
    DROP CONSTRAINT book_code_form,
    ADD CONSTRAINT book_code_form CHECK (code ~ '^[A-Z0-9-]{1,12}$'),
    DROP COLUMN counter_code;
DROP TABLE stockpile.restoration;
