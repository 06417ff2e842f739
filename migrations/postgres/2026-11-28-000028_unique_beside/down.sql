DROP TABLE unique_beside;
