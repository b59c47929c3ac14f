-- A roster, or a registrar, may say why somebody left: weapons that the dead hold are another finding than those of who moved on.
ALTER TABLE stockpile.assignment ADD COLUMN ended_because TEXT;
ALTER TABLE stockpile.assignment
    ADD CONSTRAINT assignment_because CHECK (ended_because IN ('died', 'missing', 'captured', 'deserted', 'discharged')),
    ADD CONSTRAINT assignment_because_ended CHECK (ended_because IS NULL OR until IS NOT NULL);
COMMENT ON COLUMN stockpile.assignment.ended_because IS 'why the person left all units, where somebody said so';
GRANT UPDATE (ended_because) ON stockpile.assignment TO stockpile_registrar;
