DROP INDEX stockpile.document_of_card;
ALTER FUNCTION stockpile.identified(uuid) PARALLEL UNSAFE;
ALTER FUNCTION stockpile.standing_entry(uuid, integer) PARALLEL UNSAFE;
DROP FUNCTION stockpile.standing_now(uuid[]);
