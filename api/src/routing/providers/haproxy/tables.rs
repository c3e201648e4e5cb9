//! Both tables of the gateway: routes, and preview links. The table of preview links has one line per link and host:
//! `demo.localhost/SHA-256 10.0.0.3|80/END/DOMAIN`, where END is a Unix time and DOMAIN that of the visitor's cookie.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::config::{MAP, PREVIEWS};
use super::table::{Table, target_word};
use crate::routing::traffic::{Preview, Route, TrafficError};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tables {
    pub(super) routes: Table,
    pub(super) previews: Table,
}

impl Tables {
    /// Reads both files; a missing one is empty.
    pub(super) fn read(directory: &Path) -> io::Result<Self> {
        Ok(Self { routes: Table::read(&directory.join(MAP))?, previews: Table::read(&directory.join(PREVIEWS))? })
    }

    /// Writes the files that differ from these tables.
    pub(super) fn write_changes(&self, from: &Self, directory: &Path) -> io::Result<()> {
        if self.previews != from.previews {
            self.previews.write(directory, PREVIEWS)?;
        }
        if self.routes != from.routes {
            self.routes.write(directory, MAP)?;
        }
        Ok(())
    }

    /// Sets these routes with their preview links, and keeps those of other hosts.
    pub(super) fn set(&mut self, routes: &[Route]) -> Result<(), TrafficError> {
        self.routes.set(routes)?;
        self.forget_previews(&routes.iter().map(|route| route.hostname.as_str()).collect());
        for route in routes {
            for preview in &route.previews {
                let Preview { hash, target, ends_at, domain } = preview;
                let value = format!("{}/{}/{domain}", target_word(*target)?, ends_at.timestamp());
                self.previews.0.insert(format!("{}/{hash}", route.hostname), value);
            }
        }
        Ok(())
    }

    /// Removes hosts with their preview links.
    pub(super) fn remove(&mut self, hosts: &[String]) {
        let hosts: BTreeSet<&str> = hosts.iter().map(String::as_str).collect();
        self.routes.0.retain(|host, _| !hosts.contains(host.as_str()));
        self.forget_previews(&hosts);
    }

    fn forget_previews(&mut self, hosts: &BTreeSet<&str>) {
        self.previews.0.retain(|key, _| !key.split_once('/').is_some_and(|(host, _)| hosts.contains(host)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use shared_types::https::HttpsPolicy;

    use crate::config::gateway::Scheme;

    fn route(hostname: &str, previews: Vec<Preview>) -> Route {
        let target = Some("10.0.0.2:80".parse().unwrap());
        Route {
            hostname: hostname.to_owned(),
            target,
            notice: None,
            scheme: Scheme::Http,
            https: HttpsPolicy::Optional,
            previews,
        }
    }

    fn preview(digit: &str, domain: &str) -> Preview {
        Preview {
            hash: digit.repeat(64),
            target: "[fd00::3]:80".parse().unwrap(),
            ends_at: chrono::DateTime::from_timestamp(1_900_000_000, 0).unwrap(),
            domain: domain.to_owned(),
        }
    }

    #[test]
    fn links_are_those_of_the_last_route_of_a_host_and_read_as_written() {
        let directory = tempfile::tempdir().unwrap();
        let mut tables = Tables::default();
        tables.set(&[route("a.x", vec![preview("1", "a.x")]), route("s.a.x", vec![preview("1", "a.x")])]).unwrap();
        tables.set(&[route("a.x", vec![preview("2", "a.x")])]).unwrap();
        tables.write_changes(&Tables::default(), directory.path()).unwrap();
        let (one, two) = ("1".repeat(64), "2".repeat(64));
        let text = std::fs::read_to_string(directory.path().join(PREVIEWS)).unwrap();
        let value = "fd00::3|80/1900000000/a.x";
        assert_eq!(text, format!("a.x/{two} {value}\ns.a.x/{one} {value}\n"));
        assert_eq!(Tables::read(directory.path()).unwrap(), tables);
        tables.remove(&["s.a.x".to_owned()]);
        assert_eq!((tables.routes.0.len(), tables.previews.0.len()), (1, 1));
        tables.set(&[route("a.x", Vec::new())]).unwrap();
        assert!(tables.previews.0.is_empty());
    }

    #[test]
    fn a_gateway_without_the_file_has_no_links() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(MAP), "a.x 10.0.0.2|80/http\n").unwrap();
        let tables = Tables::read(directory.path()).unwrap();
        assert_eq!((tables.routes.0.len(), tables.previews.0.len()), (1, 0));
    }

    #[test]
    fn links_that_would_break_the_table_are_refused() {
        for bad in [
            Preview { hash: "1".repeat(63), ..preview("1", "a.x") },
            Preview { hash: "G".repeat(64), ..preview("1", "a.x") },
            Preview { target: "0.0.0.0:80".parse().unwrap(), ..preview("1", "a.x") },
            preview("1", "b.x"),
            preview("1", ".x"),
            preview("1", ""),
        ] {
            assert!(Tables::default().set(&[route("a.x", vec![bad.clone()])]).is_err(), "{bad:?}");
        }
    }
}
