DROP TRIGGER book_opened ON stockpile.book;
DROP FUNCTION stockpile.book_opened();
DROP FUNCTION stockpile.take_over_account(uuid);
DROP INDEX stockpile.document_of_custody;
