DROP TABLE policy_approval;
