-- After a backup was restored, numbers that were given after it was made may stand on papers: what the service numbers goes on in
-- books with another code, TAJI/B.261104ZNOV/2026/1. Devices and papers number themselves and go on as they are.
CREATE TABLE stockpile.restoration (
    restored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    series TEXT NOT NULL,
    last_year INTEGER NOT NULL,
    backup_at TIMESTAMP WITH TIME ZONE NOT NULL,
    newest_document TIMESTAMP WITH TIME ZONE,
    CONSTRAINT restoration_pkey PRIMARY KEY (restored_at),
    CONSTRAINT restoration_series_key UNIQUE (series),
    CONSTRAINT restoration_series_form CHECK (series ~ '^[A-Z0-9]{1,12}$')
);
COMMENT ON TABLE stockpile.restoration IS 'When the books were restored from a backup, and as of which moment.';
COMMENT ON COLUMN stockpile.restoration.series IS 'what stands behind the codes of books from then on: a date-time group';
COMMENT ON COLUMN stockpile.restoration.last_year IS 'books of later years begin as always: none of their numbers can be lost';
COMMENT ON COLUMN stockpile.restoration.newest_document IS 'of those that the backup held; what was recorded after it may be lost';
CREATE TRIGGER never BEFORE UPDATE OR DELETE OR TRUNCATE ON stockpile.restoration FOR EACH STATEMENT EXECUTE FUNCTION stockpile.never();
GRANT SELECT ON stockpile.restoration TO stockpile_poster, stockpile_registrar, stockpile_auditor;

ALTER TABLE stockpile.book ADD COLUMN counter_code TEXT;
UPDATE stockpile.book SET counter_code = code;
ALTER TABLE stockpile.book
    ADD CONSTRAINT book_in_use UNIQUE (site_id, counter_code, year),
    DROP CONSTRAINT book_code_form,
    ADD CONSTRAINT book_code_form CHECK (code ~ '^[A-Z0-9-]{1,12}([.][A-Z0-9]{1,12})?$'),
    ADD CONSTRAINT book_counter_code CHECK (counter_code = split_part(code, '.', 1));
COMMENT ON COLUMN stockpile.book.counter_code IS 'the code under which it is asked for its next number; none: a restore closed it';

CREATE OR REPLACE FUNCTION stockpile.book_opened() RETURNS trigger LANGUAGE plpgsql SET search_path = stockpile, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('books of ' || NEW.site_id, 0));
    NEW.counter_code := NEW.code;
    IF NEW.kind NOT IN ('device', 'paper') THEN
        NEW.code := NEW.code || coalesce((SELECT '.' || series FROM restoration WHERE last_year >= NEW.year ORDER BY restored_at DESC LIMIT 1), '');
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION stockpile.book_taken(site uuid, wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = stockpile, pg_temp AS $$
    SELECT kind FROM (
        SELECT kind FROM book WHERE site_id = site AND split_part(code, '.', 1) = wanted
        UNION ALL SELECT 'device' FROM device WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM token WHERE site_id = site AND book_code = wanted
        UNION ALL SELECT 'counter' FROM counter WHERE site_id = site AND book_code = wanted) holder
    WHERE own_site() IS NULL OR own_site() = site
    LIMIT 1
$$;
