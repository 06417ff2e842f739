DROP INDEX event_by_person;
DROP INDEX event_by_application;
ALTER TABLE event DROP COLUMN application;
ALTER TABLE event DROP COLUMN person;
