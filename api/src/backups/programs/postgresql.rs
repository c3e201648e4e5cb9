//! The programs of PostgreSQL.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::{CONNECT_SECONDS, Task};
use crate::backups::port::{BackupError, Source};

/// The beginning of the last comment of a dump.
pub(super) const MARKER: &str = "-- PostgreSQL database dump complete";

/// As of one moment, for any owner and any server's tablespaces. It gives up where another transaction locks a table for a minute.
const DUMP: &[&str] = &[
    "--no-password",
    "--format=plain",
    "--encoding=UTF8",
    "--no-owner",
    "--no-privileges",
    "--no-tablespaces",
    "--lock-wait-timeout=60000",
];

/// All or nothing, unless the dump has large objects: these end the transaction. Messages are terse, because others have data in them.
const LOAD: &[&str] = &[
    "--no-password",
    "--no-psqlrc",
    "--quiet",
    "--set=ON_ERROR_STOP=1",
    "--set=VERBOSITY=terse",
    "--set=SHOW_CONTEXT=never",
    "--single-transaction",
    "--output=/dev/null",
];

const COUNT: &[&str] = &[
    "--no-password",
    "--no-psqlrc",
    "--quiet",
    "--no-align",
    "--tuples-only",
    // The views of the standard would wait for locks of others.
    "--command=SELECT count(*) FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace \
     WHERE relkind IN ('r', 'p') AND relpersistence <> 't' AND nspname NOT IN ('pg_catalog', 'information_schema')",
];

/// Parts of the messages of errors that a retry does not end. They count more than those of [`TRANSIENT`]: a message may say of one address that
/// the login is refused, and of another that it is away.
const PERMANENT: &[&str] = &[
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "certificate",
    "does not support SSL",
    "does not exist",
    "permission denied",
    "version mismatch",
];

/// Parts of the messages of errors that end by themselves: no connection, a server that starts or stops, a lock, a full disk there.
const TRANSIENT: &[&str] = &[
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "No route to host",
    "Network is unreachable",
    "could not translate host name",
    "timeout expired",
    "closed the connection unexpectedly",
    "connection to server was lost",
    "could not receive data from server",
    "could not send data to server",
    "no connection to the server",
    "SSL SYSCALL error",
    "unexpected eof",
    "terminating connection",
    "the database system is",
    "too many connections",
    "too many clients",
    "remaining connection slots are reserved",
    "canceling statement due to",
    "deadlock detected",
    "could not obtain lock",
    "No space left on device",
    "out of shared memory",
];

/// The file of passwords.
///
/// # Errors
/// [`BackupError::Permanent`] if a line cannot hold the password.
pub(super) fn password(source: &Source) -> Result<SecretString, BackupError> {
    let password = source.account.password.expose_secret();
    if password.contains(['\n', '\r', '\0']) {
        return Err(BackupError::Permanent(
            "PostgreSQL's programs cannot log in with a password that has a line break. Change it.".to_owned(),
        ));
    }
    Ok(format!("*:*:*:*:{}\n", password.replace('\\', "\\\\").replace(':', "\\:")).into())
}

/// The arguments: how to connect, and what to do.
pub(super) fn arguments(task: Task, source: &Source, authorities: Option<&Path>) -> Vec<String> {
    let Source { endpoint, account, database, .. } = source;
    let mut connection = format!(
        "host={} port={} user={} dbname={} connect_timeout={CONNECT_SECONDS} gssencmode=disable \
         keepalives_idle=60 keepalives_interval=10 keepalives_count=6",
        value(&endpoint.host),
        endpoint.port,
        value(&account.username),
        value(database)
    );
    match authorities {
        Some(file) => {
            connection.push_str(" sslmode=verify-full sslrootcert=");
            connection.push_str(&value(&file.display().to_string()));
        }
        None => connection.push_str(" sslmode=disable"),
    }
    let what = match task {
        Task::Dump => DUMP,
        Task::Load => LOAD,
        Task::Count => COUNT,
    };
    let mut arguments = vec![format!("--dbname={connection}")];
    arguments.extend(what.iter().map(|one| (*one).to_owned()));
    arguments
}

/// A value in a connection string.
fn value(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether a retry may help after these words.
pub(super) fn is_transient(words: &str) -> bool {
    let says = |one: &&str| words.contains(*one);
    !PERMANENT.iter().any(says) && TRANSIENT.iter().any(says)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::backups::programs::words::tests::source;

    #[test]
    fn passwords_and_names_stay_whole() {
        assert_eq!(password(&source(r"a:b\c")).unwrap().expose_secret(), "*:*:*:*:a\\:b\\\\c\n");
        assert!(matches!(password(&source("a\nb")), Err(BackupError::Permanent(_))));
        let mut odd = source("secret");
        odd.database = r"it's \ host=elsewhere".to_owned();
        let arguments = arguments(Task::Dump, &odd, None);
        assert!(arguments[0].contains(r" dbname='it\'s \\ host=elsewhere' "), "{arguments:?}");
        assert!(arguments[0].ends_with(" sslmode=disable") && !format!("{arguments:?}").contains("secret"));
    }

    #[test]
    fn words_of_the_programs_are_sorted_by_what_helps() {
        for words in [
            "pg_dump: error: connection to server at \"127.0.0.1\", port 5432 failed: Connection refused",
            "psql: error: connection to server at \"db\" (10.0.0.1), port 5432 failed: FATAL:  the database system is starting up",
            "pg_dump: error: Dumping the contents of table \"t\" failed: PQgetCopyData() failed.\n\
             pg_dump: detail: Error message from server: server closed the connection unexpectedly",
            "psql:<stdin>:41: ERROR:  could not extend file \"base/1/2\": No space left on device",
            "pg_dump: error: query failed: ERROR:  canceling statement due to lock timeout",
        ] {
            assert!(is_transient(words), "{words}");
        }
        for words in [
            "psql: error: connection to server at \"::1\", port 5432 failed: Connection refused\n\
             connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  password authentication failed for user \"u\"",
            "pg_dump: error: connection to server failed: FATAL:  database \"d\" does not exist",
            "psql: error: connection to server failed: SSL error: certificate verify failed",
            "psql: error: connection to server failed: server does not support SSL, but SSL was required",
            "pg_dump: error: aborting because of server version mismatch",
            "psql:<stdin>:41: ERROR:  permission denied to create extension \"x\"",
            "psql:<stdin>:41: ERROR:  relation \"t\" already exists",
        ] {
            assert!(!is_transient(words), "{words}");
        }
    }
}
