-- Whom and which application an event is about, where its record is neither. The same columns as in ../../postgres.

ALTER TABLE event ADD COLUMN person BLOB;
ALTER TABLE event ADD COLUMN application BLOB;
CREATE INDEX event_by_application ON event (tenant, application, seq) WHERE application IS NOT NULL;
CREATE INDEX event_by_person ON event (tenant, person, seq) WHERE person IS NOT NULL;
