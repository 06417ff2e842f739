DROP TABLE match_trace;
DROP TABLE blocking_key;
