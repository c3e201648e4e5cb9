-- Records that were written stay; their TXT records say whose they are.
DROP TABLE instance_names;
