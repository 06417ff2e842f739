DROP TABLE refused_write;
