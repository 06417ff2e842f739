DROP INDEX resource_by_modified_open;
ALTER TABLE resource DROP COLUMN modified_open;
DROP TABLE policy;
