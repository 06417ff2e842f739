-- Whom a read showed is as final as the event that says so.
CREATE TRIGGER event_subject_is_never_updated BEFORE UPDATE ON event_subject
BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER event_subject_is_never_deleted BEFORE DELETE ON event_subject
BEGIN SELECT raise(ABORT, 'events are append-only'); END;
