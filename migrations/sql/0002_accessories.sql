-- What is counted is named by its model: its items are found among millions of weapons.
CREATE INDEX item_counted ON stockpile.item (model_id) WHERE tracked_by <> 'serial';
-- What a paper calls by a name that no model bears, beside the weapon that nobody could identify.
INSERT INTO stockpile.model (model_id, maker, name, category, tracked_by)
VALUES ('00000000-0000-7000-8000-000000000003', 'unknown', 'unidentified equipment', 'unidentified', 'quantity');
