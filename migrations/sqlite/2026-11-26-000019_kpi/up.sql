-- What is counted over a period: events by type and time, and what systems first spoke of when. The same indexes as in
-- ../../postgres.

CREATE INDEX event_by_type ON event (tenant, type, recorded);
CREATE INDEX source_record_by_first_seen ON source_record (first_seen, origin);
