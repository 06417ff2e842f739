DROP TABLE cannot_link;
DROP TABLE alias;
