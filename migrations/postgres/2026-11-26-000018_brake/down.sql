DROP TABLE brake;
