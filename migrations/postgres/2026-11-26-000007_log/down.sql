DROP TABLE log_horizon;
DROP TABLE log_head;
DROP TABLE log_tree;
DROP TABLE log_node;
DROP TABLE log_leaf;
