use std::path::PathBuf;

use secrecy::SecretString;

use crate::config::table::settings;

settings! {
    /// Directories, the database, the keys of its secrets, and how long records are kept.
    pub struct Data = "Data";

    /// The embedded database, the local machines, files of running playbooks, and the SSH key that
    /// machines of version 0.2 share. One
    /// server at a time.
    ocim_data_dir: PathBuf = PathBuf::from(".ocim");
    /// What can be created again: base tree of the machines, clones, virtualenvs, wheels. Shared by all data
    /// directories.
    ocim_cache_dir: Option<PathBuf> = None, unset("`~/.cache/ocim`");
    /// Megabytes that clones, virtualenvs, collections and wheels in the cache may take; 0: any. Each hour, what has
    /// not been used for the longest time is removed until the rest takes less; what a build uses, or used within the
    /// last hour, is kept.
    ocim_cache_max_mb: u64 = 20_000;
    /// Days after their last use that clones, virtualenvs, collections and wheels are removed from the cache; 0: never.
    ocim_cache_days: u32 = 30;
    /// Megabytes that must be free on the disks of data and cache for a build to begin; 0: it is enough that a file can
    /// be written. If less is free, no build begins and no launch is accepted (503), as `/queue` says; active app
    /// servers go on serving.
    ocim_min_free_mb: u64 = 512;
    /// A Postgres (15 or newer) to use instead of the embedded one. Unless every host is this machine (a loopback
    /// address, `localhost` or a socket), TLS is required and a server without it is refused; `sslmode=disable` or
    /// `sslmode=prefer` in the URL says otherwise. Certificates and names are always checked, against `sslrootcert=` in
    /// the URL, else `SSL_CERT_FILE`, else the system's authorities. For the number of connections and the time limits
    /// see [ops/database.md](ops/database.md). If it is set, stopping the program stops no machine and no gateway.
    database_url: Option<SecretString> = None;
    /// The keys that secrets are encrypted with in the database, `id:64 hexadecimal digits` each, separated by commas
    /// (a list in the file); the first one encrypts. The server and all workers need the same. Unset: `keys/secrets` in
    /// the data directory, which is created at the first start with the embedded database; with `DATABASE_URL`, the
    /// setting or the file must exist. `ocim admin generate-key` prints one; see [backup.md](backup.md).
    ocim_secret_keys: Vec<SecretString> = Vec::new(), unset("a file in the data directory");
    /// Days that events are kept.
    ocim_events_days: u32 = 7;
    /// Days that the audit log is kept; 0: for ever.
    ocim_audit_days: u32 = 0;
    /// Days that logs are kept: an instance's line by line, an app server's as a whole, counted from when its build had
    /// ended and its machine was deleted.
    ocim_logs_days: u32 = 90;
    /// The same for logs of app servers that failed, or were ever active.
    ocim_kept_logs_days: u32 = 365;
}
