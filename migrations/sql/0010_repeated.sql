-- A comparison finds which lines repeat a number as fast as it read them here, and noting them made taking a list in a third slower.
DROP TABLE stockpile.register_repeated;
