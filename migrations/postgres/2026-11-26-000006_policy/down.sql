DROP INDEX event_by_time;
DROP TABLE event_subject;
ALTER TABLE event DROP COLUMN attributes;
ALTER TABLE event DROP COLUMN purpose;
DROP INDEX resource_by_modified_open;
ALTER TABLE resource DROP COLUMN modified_open;
DROP TABLE policy;
