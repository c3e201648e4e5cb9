//! Ansible: check out a configuration repository, make its virtualenv, run its playbooks on a machine, and read what they
//! print. Knows nothing of instances, app servers or the database.

pub mod port;
