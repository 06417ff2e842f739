DROP TABLE withheld;
