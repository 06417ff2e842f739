-- Whom a read showed is as final as the event that says so.
CREATE TRIGGER event_subject_is_never_updated BEFORE UPDATE ON event_subject
FOR EACH ROW EXECUTE FUNCTION event_is_append_only();
CREATE TRIGGER event_subject_is_never_deleted BEFORE DELETE ON event_subject
FOR EACH ROW EXECUTE FUNCTION event_is_append_only();
