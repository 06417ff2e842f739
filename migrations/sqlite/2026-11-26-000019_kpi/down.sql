DROP INDEX source_record_by_first_seen;
DROP INDEX event_by_type;
