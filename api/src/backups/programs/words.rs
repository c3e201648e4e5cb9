//! What a program said on stderr, as an error.

use secrecy::{ExposeSecret as _, SecretString};

use super::{Server, mysql};
use crate::backups::port::BackupError;

/// The most characters of a program's words.
const MOST: usize = 1000;
/// Stands for the password.
const MASK: &str = "********";

/// The error of a program that failed.
pub(super) fn failed(server: Server, name: &str, stderr: &str, password: &SecretString) -> BackupError {
    let words = shown(stderr, password);
    if words.is_empty() {
        return BackupError::Transient(format!("{name} failed without a word."));
    }
    if server.is_transient(&words) {
        return BackupError::Transient(words);
    }
    let remedy = match server {
        Server::Mysql => mysql::remedy(&words),
        Server::Postgresql => None,
    };
    BackupError::Permanent(remedy.map_or_else(|| words.clone(), |remedy| format!("{words}\n{remedy}")))
}

/// The last lines that say something, without the password.
fn shown(stderr: &str, password: &SecretString) -> String {
    let password = password.expose_secret();
    let masked = if password.is_empty() { stderr.to_owned() } else { stderr.replace(password, MASK) };
    let says = |line: &&str| !line.trim().is_empty() && !is_noise(line);
    let text = masked.lines().map(str::trim_end).filter(says).collect::<Vec<_>>().join("\n");
    let surplus = text.chars().count().saturating_sub(MOST);
    if surplus == 0 {
        return text;
    }
    let last: String = text.chars().skip(surplus).collect();
    // From the beginning of a line, unless one line is longer than that.
    last.split_once('\n').map_or_else(|| format!("…{last}"), |(_, lines)| lines.to_owned())
}

/// Warnings about options that another version of the program needs, and about its old name.
fn is_noise(line: &str) -> bool {
    line.contains("unknown variable 'loose-")
        || line.contains("unknown option '--loose-")
        || line.contains("Deprecated program name")
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::panic)]

    use shared_types::ResourceKind;

    use super::*;
    use crate::backups::port::Source;
    use crate::resources::server::{Account, Endpoint};

    /// A database whose account has this password.
    pub(in crate::backups::programs) fn source(password: &str) -> Source {
        Source {
            kind: ResourceKind::Mysql,
            name: "main".to_owned(),
            database: "ocim_d".to_owned(),
            endpoint: Endpoint { host: "db.example".to_owned(), port: 3306, has_tls: false },
            ca_file: None,
            account: Account { username: "ocim_u".to_owned(), password: password.to_owned().into() },
        }
    }

    #[test]
    fn words_are_short_and_without_the_password() {
        let password = SecretString::from("s3cret".to_owned());
        let noise = "Warning: mariadb: unknown variable 'loose-ssl-mode=DISABLED'\n\
            Warning: mariadb: unknown option '--loose-get-server-public-key'\n";
        let said =
            failed(Server::Mysql, "mariadb", &format!("{noise}ERROR 1045 (28000): near 's3cret'\n\n"), &password);
        assert_eq!(said, BackupError::Permanent("ERROR 1045 (28000): near '********'".to_owned()));
        let long = format!("{}ERROR 2013 (HY000): Lost connection\n", "detail s3cret\n".repeat(1000));
        let BackupError::Transient(words) = failed(Server::Mysql, "mariadb", &long, &password) else {
            panic!("{long}")
        };
        assert!(words.len() <= MOST && words.starts_with("detail ********\n") && words.ends_with("Lost connection"));
        let line = shown(&"ä".repeat(5000), &password);
        assert_eq!(line.chars().count(), MOST + 1);
        assert!(matches!(failed(Server::Mysql, "mariadb", noise, &password), BackupError::Transient(_)));
        assert_eq!(shown("x\n", &SecretString::from(String::new())), "x");
    }
}
