-- PostgreSQL checks a foreign key by locking the row it points to, so that all who wrote at once shared a lock of their
-- one tenant's row. A tenant is never deleted, and its number comes from its row: there is nothing that the keys could find.
ALTER TABLE resource DROP CONSTRAINT resource_tenant_fkey;
ALTER TABLE event DROP CONSTRAINT event_tenant_fkey;
