DROP TRIGGER book_opened ON stockpile.book;
DROP FUNCTION stockpile.book_opened();
DROP FUNCTION stockpile.give_back_account(uuid);
DROP FUNCTION stockpile.take_over_account(uuid);
DROP FUNCTION stockpile.inventories_of(uuid, text);
DROP FUNCTION stockpile.document_stands(uuid);
DROP INDEX stockpile.document_of_custody;
