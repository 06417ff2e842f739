DROP INDEX resource_without_account;
DROP INDEX resource_by_modified;
DROP INDEX resource_by_created;
DROP TABLE record_count;
