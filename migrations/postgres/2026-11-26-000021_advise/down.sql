DROP TABLE known_apart;
DROP TABLE matching_model;
