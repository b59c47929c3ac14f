-- The older schema can't keep keys and rejects; a country that has enrolled devices stays with this one.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.device) THEN
        RAISE EXCEPTION 'devices are enrolled: the older schema would lose their keys';
    END IF;
END $$;
DROP TABLE stockpile.device_reject;
DROP TABLE stockpile.device_contact;
DROP FUNCTION stockpile.book_taken(uuid, text);
DROP TABLE stockpile.device;

UPDATE stockpile.discrepancy SET closed_at = now(), outcome = 'withdrawn', explanation = 'the older version watches no gaps', explained_by = document_id
WHERE book_id IS NOT NULL AND closed_at IS NULL;
DROP INDEX stockpile.discrepancy_gap;
ALTER TABLE stockpile.discrepancy
    DROP CONSTRAINT discrepancy_run,
    DROP CONSTRAINT discrepancy_book_id_fkey,
    DROP COLUMN last_number,
    DROP COLUMN first_number,
    DROP COLUMN book_id;
DROP FUNCTION stockpile.of_a_counter(text);
