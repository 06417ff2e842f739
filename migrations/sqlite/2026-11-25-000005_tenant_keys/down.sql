-- PostgreSQL alone pays for its foreign keys to `tenant`; here they stay.
SELECT 1;
