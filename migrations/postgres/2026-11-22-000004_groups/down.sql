ALTER TABLE resource DROP COLUMN members;
ALTER TABLE resource DROP COLUMN display;
