//! The programs of MySQL and MariaDB.

use std::fmt::Write as _;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use super::{CONNECT_SECONDS, Task};
use crate::backups::port::Source;

/// The beginning of the last line of a dump.
pub(super) const MARKER: &str = "-- Dump completed";

/// As of one moment, without a lock that others wait for, and with all that belongs to a database.
const DUMP: &[&str] = &[
    "--single-transaction",
    "--quick",
    "--skip-lock-tables",
    "--routines",
    "--triggers",
    "--events",
    "--hex-blob",
    "--no-tablespaces",
    "--skip-dump-date",
    "--default-character-set=utf8mb4",
    "--max-allowed-packet=1G",
];

/// Commands of the client in a dump, such as those that run programs here, are not understood.
const LOAD: &[&str] = &["--batch", "--binary-mode", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"];

/// MariaDB calls tables with a history differently.
const COUNT: &str = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() \
     AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')";

/// The error codes that end by themselves: no connection, too many of them, the server starts or stops, its disk is full, a lock or a
/// limit of the moment, interrupted queries.
const TRANSIENT: &[u32] = &[
    1021, 1040, 1053, 1077, 1114, 1152, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1290, 1317, 1836, 1927, 2002,
    2003, 2005, 2006, 2012, 2013, 2055,
];
/// A failure of TLS: the server's certificate, or a connection that was cut.
const TLS: u32 = 2026;
/// A row that is too long for the server.
const TOO_LONG: u32 = 1153;

/// The file of options. MariaDB's programs and those of MySQL differ in the names for TLS; an unknown one that begins with `loose-` is
/// only warned of, and MySQL's do not read the section `client-mariadb`.
pub(super) fn options(source: &Source, authorities: Option<&Path>) -> SecretString {
    let Source { endpoint, account, .. } = source;
    let mut text = format!(
        "[client]\nprotocol = tcp\nhost = {}\nport = {}\nuser = {}\npassword = {}\n",
        value(&endpoint.host),
        endpoint.port,
        value(&account.username),
        value(account.password.expose_secret())
    );
    let (mysql, mariadb) = match authorities {
        Some(file) => {
            let _ = writeln!(text, "ssl-ca = {}", value(&file.display().to_string()));
            ("loose-ssl-mode = VERIFY_IDENTITY\n", "ssl\nssl-verify-server-cert\n")
        }
        None => ("loose-ssl-mode = DISABLED\nloose-get-server-public-key\n", "skip-ssl\n"),
    };
    text.push_str(mysql);
    text.push_str("[client-mariadb]\n");
    text.push_str(mariadb);
    // A statement that fails has data in it.
    text.push_str("[mariadb-client]\nloose-skip-print-query-on-error\n");
    // An account that may use only one database may not ask for either.
    text.push_str("[mysqldump]\nloose-set-gtid-purged = OFF\nloose-column-statistics = 0\n");
    text.into()
}

/// A value in a file of options.
fn value(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The arguments after the file of options.
pub(super) fn arguments(task: Task, database: &str) -> Vec<String> {
    let mut arguments: Vec<String> = match task {
        Task::Dump => DUMP.iter().map(|one| (*one).to_owned()).collect(),
        Task::Load => LOAD.iter().map(|one| (*one).to_owned()).collect(),
        Task::Count => ["--batch", "--skip-column-names", "--execute", COUNT].map(str::to_owned).to_vec(),
    };
    if task != Task::Dump {
        arguments.push(format!("--connect-timeout={CONNECT_SECONDS}"));
    }
    arguments.extend(["--".to_owned(), database.to_owned()]);
    arguments
}

/// Whether a retry may help after these words.
pub(super) fn is_transient(words: &str) -> bool {
    let codes = codes(words);
    if codes.contains(&TLS) {
        let permanent = ["certificate", "verif", "host", "not support", "required"];
        let words = words.to_lowercase();
        return !permanent.iter().any(|one| words.contains(one));
    }
    codes.iter().any(|code| TRANSIENT.contains(code))
}

/// What to do about these words; none: they say it themselves.
pub(super) fn remedy(words: &str) -> Option<&'static str> {
    codes(words)
        .contains(&TOO_LONG)
        .then_some("Raise `max_allowed_packet` at the server: a dump has binary data at twice its size.")
}

/// The codes in `ERROR 1045 (28000)`, `Got error: 1045: "…"`, `Error 2013: …`, and at the end of `Couldn't execute '…': … (2013)`.
fn codes(words: &str) -> Vec<u32> {
    let lower = words.to_ascii_lowercase();
    let after_word = lower.split("error").skip(1).filter_map(|after| {
        let after = after.trim_start_matches([':', ' ']);
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        after.get(..end)?.parse().ok()
    });
    let at_end = |line: &str| line.trim_end().strip_suffix(')')?.rsplit_once('(')?.1.parse().ok();
    after_word.chain(words.lines().filter_map(at_end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backups::programs::words::tests::source;

    #[test]
    fn options_hold_any_password() {
        assert_eq!(value("a#b;c 'd' \"e\" \\n\n"), r#""a#b;c 'd' \"e\" \\n\n""#);
        let text = options(&source("p\"w"), None);
        assert!(text.expose_secret().contains("\npassword = \"p\\\"w\"\n"), "{}", text.expose_secret());
        assert!(text.expose_secret().contains("[client-mariadb]\nskip-ssl\n"));
        let text = options(&source("p"), Some(Path::new("/x/ca.pem")));
        let expected =
            "ssl-ca = \"/x/ca.pem\"\nloose-ssl-mode = VERIFY_IDENTITY\n[client-mariadb]\nssl\nssl-verify-server-cert\n";
        assert!(text.expose_secret().contains(expected), "{}", text.expose_secret());
    }

    #[test]
    fn words_of_the_programs_are_sorted_by_what_helps() {
        for words in [
            "mariadb-dump: Got error: 2002: \"Can't connect to server on '127.0.0.1' (115)\" when trying to connect",
            "ERROR 2002 (HY000): Can't connect to server on '127.0.0.1' (115)",
            "mariadb-dump: Error 2013: Lost connection to server during query when dumping table `big` at row: 4",
            "ERROR 2013 (HY000) at line 41: Lost connection to server during query",
            "mariadb-dump: Couldn't execute 'SELECT /*!40001 SQL_NO_CACHE */ `n` FROM `t`': Lost connection to server during query (2013)",
            "ERROR 1040 (08004): Too many connections",
            "ERROR 2026 (HY000): TLS/SSL error: unexpected eof while reading",
            "mysqldump: Error: 'Lock wait timeout exceeded' error 1205",
        ] {
            assert!(is_transient(words), "{words}");
        }
        for words in [
            "mariadb-dump: Got error: 1045: \"Access denied for user 'u'@'127.0.0.1' (using password: YES)\" when trying to connect",
            "ERROR 1044 (42000): Access denied for user 'u'@'%' to database 'nodb'",
            "ERROR 1049 (42000): Unknown database 'd'",
            "mysqldump: Couldn't execute 'SHOW FIELDS FROM `v`': View 'd.v' references invalid table(s) (1356)",
            "ERROR 2026 (HY000): TLS/SSL error: SSL is required, but the server does not support it",
            "ERROR 2026 (HY000): TLS/SSL error: certificate verify failed",
            "ERROR 1064 (42000) at line 2013: You have an error in your SQL syntax near '2013'",
            "mariadb-dump: unknown option '--x'",
        ] {
            assert!(!is_transient(words), "{words}");
        }
        assert!(remedy("ERROR 1153 (08S01) at line 9: Got a packet bigger than 'max_allowed_packet' bytes").is_some());
    }
}
