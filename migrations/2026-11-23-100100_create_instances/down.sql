DROP TABLE instance_hostnames, instances;
