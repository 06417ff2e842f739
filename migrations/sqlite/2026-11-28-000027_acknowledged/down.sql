DROP TABLE acknowledged;
