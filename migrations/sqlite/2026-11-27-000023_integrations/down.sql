DROP TABLE integration;
