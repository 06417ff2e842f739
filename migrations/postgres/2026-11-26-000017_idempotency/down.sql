DROP TABLE idempotency_name;
DROP TABLE idempotency;
