//! Checks credentials that an operator enters.

use std::collections::BTreeMap;

use shared_types::resource::{ACCOUNT, GivenResources};
use shared_types::{FieldError, ResourceKind};

use crate::resources::connection::Place;

/// The most characters of a host name, of a name at a server, and of a password or an option.
const HOST_MAX: usize = 253;
const NAME_MAX: usize = 128;
const TEXT_MAX: usize = 1000;
/// The most databases that one account may be given.
const DATABASES_MAX: usize = 50;

/// Credentials that can be stored.
#[derive(Debug)]
pub(super) struct Checked {
    pub place: Place,
    pub username: String,
    pub password: String,
    pub databases: BTreeMap<String, String>,
}

/// Checks credentials of this kind.
///
/// # Errors
/// One entry for each field that is not valid. No message quotes the password.
pub(super) fn check(kind: ResourceKind, given: GivenResources) -> Result<Checked, Vec<FieldError>> {
    let GivenResources { host, port, username, password, has_tls, databases, options } = given;
    let mut errors = Vec::new();
    let mut wrong = |field: &str, detail: &str| {
        errors.push(FieldError { pointer: format!("/given/{field}"), detail: detail.to_owned() });
    };
    if !is_host(&host) {
        wrong("host", "Must be a host name or an address, without a scheme, a port and a path.");
    }
    if port == Some(0) {
        wrong("port", "Must be 1 to 65535.");
    }
    if !is_text(&username, NAME_MAX) {
        wrong("username", "Must have 1 to 128 characters.");
    }
    if !is_text(&password, TEXT_MAX) {
        wrong("password", "Must have 1 to 1000 characters.");
    }
    if databases.len() > DATABASES_MAX {
        wrong("databases", "Must name 50 databases at most.");
    }
    for (name, remote_name) in &databases {
        if !is_name(name) {
            wrong(
                "databases",
                "Each name must have 1 to 32 small letters, digits and `_`, the first a letter, and not be `account`.",
            );
        }
        if kind == ResourceKind::Redis && remote_name.parse::<u16>().is_err() {
            wrong(&below("databases", name), "Must be a number.");
        } else if !is_text(remote_name, NAME_MAX) {
            wrong(&below("databases", name), "Must have 1 to 128 characters.");
        }
    }
    for (name, value) in &options {
        if !kind.options().contains(&name.as_str()) {
            let known = kind.options().join(", ");
            let detail = if known.is_empty() {
                "There are no options of this kind.".to_owned()
            } else {
                format!("Must be one of: {known}.")
            };
            wrong(&below("options", name), &detail);
        } else if !is_text(value, TEXT_MAX) {
            wrong(&below("options", name), "Must have 1 to 1000 characters.");
        } else if name == "addressing" && !["auto", "path", "virtual"].contains(&value.as_str()) {
            wrong(&below("options", name), "Must be `auto`, `path` or `virtual`.");
        } else if name == "auth_path" && !value.starts_with('/') {
            wrong(&below("options", name), "Must begin with /, such as `/v3`.");
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let place = Place { host, port: port.unwrap_or(kind.port()), has_tls: has_tls.unwrap_or(true), options };
    Ok(Checked { place, username, password, databases })
}

/// The pointer to an entry of a map (RFC 6901).
fn below(map: &str, name: &str) -> String {
    format!("{map}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Whether a text may name a host: letters (of any script), digits, hyphens and dots, or an address of IPv6.
fn is_host(text: &str) -> bool {
    let is_name = text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.') && !text.starts_with(['-', '.']);
    !text.is_empty() && text.len() <= HOST_MAX && (is_name || text.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Whether a text has 1 to `most` characters, and no control characters.
fn is_text(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.contains(char::is_control)
}

/// Whether an application may know a database by this name.
fn is_name(text: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text != ACCOUNT
        && text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn given() -> GivenResources {
        GivenResources {
            host: "db.example".into(),
            port: None,
            username: "campus".into(),
            password: "hidden-1".into(),
            has_tls: None,
            databases: BTreeMap::from([("pages".into(), "campus".into())]),
            options: BTreeMap::new(),
        }
    }

    fn fields(kind: ResourceKind, given: GivenResources) -> Vec<String> {
        let errors = check(kind, given).unwrap_err();
        assert!(errors.iter().all(|error| !error.detail.contains("hidden-1")));
        errors.into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn what_is_left_out_has_the_usual_values() {
        let checked = check(ResourceKind::Mysql, given()).unwrap();
        assert_eq!((checked.place.port, checked.place.has_tls), (3306, true));
        let hosts = ["10.0.0.5", "::1", "db-1.internal", "datenbank.schule-köln.example"];
        assert!(
            hosts
                .iter()
                .all(|host| check(ResourceKind::Mysql, GivenResources { host: (*host).into(), ..given() }).is_ok())
        );
        let name = "n".repeat(64);
        let long = GivenResources { databases: BTreeMap::from([("main".into(), name)]), ..given() };
        assert!(check(ResourceKind::Mysql, long).is_ok(), "64 characters are what MySQL allows");
    }

    #[test]
    fn a_host_is_neither_a_path_nor_a_url() {
        for host in
            ["", "/var/lib/mysql", "mysql://db.example", "db.example:3306", "db example", "-x", "db.example/data"]
        {
            assert_eq!(
                fields(ResourceKind::Mysql, GivenResources { host: host.into(), ..given() }),
                ["/given/host"],
                "{host}"
            );
        }
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let bad = GivenResources {
            port: Some(0),
            username: "a\nb".into(),
            password: String::new(),
            databases: BTreeMap::from([("account".into(), "x".into()), ("main".into(), "x".repeat(129))]),
            options: BTreeMap::from([("replica_set".into(), "rs0".into())]),
            ..given()
        };
        let expected = [
            "/given/port",
            "/given/username",
            "/given/password",
            "/given/databases",
            "/given/databases/main",
            "/given/options/replica_set",
        ];
        assert_eq!(fields(ResourceKind::Mysql, bad), expected);
    }

    #[test]
    fn databases_of_redis_are_numbers_and_only_mongodb_has_options() {
        let redis =
            |number: &str| GivenResources { databases: BTreeMap::from([("cache".into(), number.into())]), ..given() };
        assert!(check(ResourceKind::Redis, redis("3")).is_ok());
        assert_eq!(fields(ResourceKind::Redis, redis("three")), ["/given/databases/cache"]);
        let options = BTreeMap::from([("replica_set".into(), "rs0".into())]);
        assert!(check(ResourceKind::Mongodb, GivenResources { options, ..given() }).is_ok());
    }

    #[test]
    fn a_store_is_entered_with_its_region_and_how_it_is_addressed() {
        let with = |options: &[(&str, &str)]| GivenResources {
            options: options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..given()
        };
        let checked = check(ResourceKind::S3, with(&[("region", "eu-west-1"), ("addressing", "virtual")])).unwrap();
        assert_eq!((checked.place.port, checked.place.options.len()), (443, 2));
        assert!(check(ResourceKind::Swift, with(&[("auth_path", "/v3"), ("project", "campus")])).is_ok());
        assert_eq!(fields(ResourceKind::S3, with(&[("addressing", "x")])), ["/given/options/addressing"]);
        assert_eq!(fields(ResourceKind::Swift, with(&[("auth_path", "v3")])), ["/given/options/auth_path"]);
        assert_eq!(fields(ResourceKind::S3, with(&[("project", "x")])), ["/given/options/project"]);
    }
}
