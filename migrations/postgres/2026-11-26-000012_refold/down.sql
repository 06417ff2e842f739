DROP TABLE refold;
