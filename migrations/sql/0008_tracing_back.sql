-- An answer may lie with another State, a sighting be an alarm that is still open.
DO $$ BEGIN
    IF EXISTS (SELECT FROM stockpile.tracing) THEN
        RAISE EXCEPTION 'the books hold tracing requests or sightings, which the older schema cannot keep' USING ERRCODE = 'check_violation';
    END IF;
END $$;
DROP TABLE stockpile.tracing_step, stockpile.tracing_weapon, stockpile.tracing;
