DROP TABLE blind_index;
DROP TABLE person_key;
DROP TABLE tenant_key;
