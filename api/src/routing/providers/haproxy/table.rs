//! The table of hosts: HAProxy's map, in memory and as the file that a restart reads. One line per host:
//! `demo.localhost 10.0.0.2|80/https`, or `demo.localhost none/http`. With the maintenance page up, the value is
//! `page/https/TEXT`; the text is HTML in URL-safe Base64. Two more fields say how visitors by HTTP are treated:
//! `10.0.0.2|80/https//redirect/31536000` sends them to HTTPS, for so many seconds also by their browsers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::map_file::{self, Entries};
use shared_types::https::HttpsPolicy;

use crate::config::gateway::Scheme;
use crate::routing::traffic::{Route, TrafficError, check_target};

/// How long browsers remember that a host is to be asked by HTTPS only: a year.
const HSTS_SECONDS: u32 = 31_536_000;
/// Value of a host without a target.
const NO_TARGET: &str = "none";
/// Begins the value of a host whose visitors get the maintenance page.
const PAGE: &str = "page";

/// Host to value, both validated and in HAProxy's format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Table(pub(super) Entries);

impl Table {
    /// Reads the file; empty if there is none. Files of older versions have no scheme: they are read as `http`.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut entries = map_file::read(path)?;
        for value in entries.values_mut().filter(|value| !value.contains('/')) {
            value.push_str("/http");
        }
        Ok(Self(entries))
    }

    /// Writes the file, atomically and durably.
    pub(super) fn write(&self, directory: &Path, name: &str) -> io::Result<()> {
        map_file::write(directory, name, &self.0)
    }

    /// Rewrites the file if it is missing or of an older version.
    pub(super) fn bring_up_to_date(directory: &Path, name: &str) -> io::Result<()> {
        map_file::keep(directory, name, &Self::read(&directory.join(name))?.0)
    }

    /// Sets these routes and keeps the others.
    pub(super) fn set(&mut self, routes: &[Route]) -> Result<(), TrafficError> {
        for route in routes {
            let (host, value) = words(route)?;
            self.0.insert(host, value);
        }
        Ok(())
    }
}

/// A route as in the map: the host and its value.
fn words(route: &Route) -> Result<(String, String), TrafficError> {
    route.check()?;
    let Route { hostname, target, notice, scheme, https, previews: _ } = route;
    let (target, text) = match (notice, target) {
        (Some(notice), _) => (PAGE.to_owned(), URL_SAFE_NO_PAD.encode(html(notice))),
        (None, Some(target)) => (target_word(*target)?, String::new()),
        (None, None) => (NO_TARGET.to_owned(), String::new()),
    };
    let to_https = match (scheme, https) {
        (Scheme::Http, _) | (Scheme::Https, HttpsPolicy::Optional) => String::new(),
        (Scheme::Https, HttpsPolicy::Redirect) => "/redirect".to_owned(),
        (Scheme::Https, HttpsPolicy::Strict) => format!("/redirect/{HSTS_SECONDS}"),
    };
    let value = format!("{target}/{}/{text}{to_https}", scheme.as_str());
    Ok((hostname.clone(), value.trim_end_matches('/').to_owned()))
}

/// Plain text as HTML; lines stay lines.
fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("<br>"),
            _ => html.push(c),
        }
    }
    html
}

/// A target as in the map and in the stick table. A bar separates address and port, since IPv6 addresses contain
/// colons.
pub(super) fn target_word(target: SocketAddr) -> Result<String, TrafficError> {
    check_target(target)?;
    let ip: IpAddr = target.ip().to_canonical();
    Ok(format!("{ip}|{}", target.port()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    fn route(host: &str, target: Option<&str>, scheme: Scheme) -> Route {
        let target = target.map(|target| target.parse().unwrap());
        let (hostname, previews) = (host.to_owned(), Vec::new());
        Route { hostname, target, notice: None, scheme, https: HttpsPolicy::Optional, previews }
    }

    #[test]
    fn is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let mut table = Table::default();
        let routes = [
            route("a.localhost", Some("10.0.0.2:80"), Scheme::Https),
            route("b.localhost", None, Scheme::Http),
            route("c", Some("[fd00::2]:8080"), Scheme::Http),
        ];
        table.set(&routes).unwrap();
        table.write(directory.path(), "routes.map").unwrap();
        let text = fs::read_to_string(directory.path().join("routes.map")).unwrap();
        assert_eq!(text, "a.localhost 10.0.0.2|80/https\nb.localhost none/http\nc fd00::2|8080/http\n");
        assert_eq!(Table::read(&directory.path().join("routes.map")).unwrap(), table);
        assert_eq!(Table::read(&directory.path().join("missing")).unwrap(), Table::default());
    }

    #[test]
    fn says_how_visitors_by_http_are_treated() {
        let value = |scheme, https, notice: Option<&str>| {
            let notice = notice.map(str::to_owned);
            words(&Route { https, notice, ..route("a", Some("10.0.0.2:80"), scheme) }).unwrap().1
        };
        assert_eq!(value(Scheme::Https, HttpsPolicy::Optional, None), "10.0.0.2|80/https");
        assert_eq!(value(Scheme::Https, HttpsPolicy::Redirect, None), "10.0.0.2|80/https//redirect");
        assert_eq!(value(Scheme::Https, HttpsPolicy::Strict, None), "10.0.0.2|80/https//redirect/31536000");
        assert_eq!(value(Scheme::Https, HttpsPolicy::Redirect, Some("hi")), "page/https/aGk/redirect");
        assert_eq!(value(Scheme::Http, HttpsPolicy::Strict, None), "10.0.0.2|80/http", "its visitors use HTTP");
    }

    #[test]
    fn the_text_of_a_page_is_harmless_in_the_table_and_in_html() {
        let notice = Some("Back at 5; <b>\"soon\"</b> & %[src]\nʼTil then".to_owned());
        let (host, value) = words(&Route { notice, ..route("a", Some("10.0.0.2:80"), Scheme::Https) }).unwrap();
        let text = value.strip_prefix("page/https/").unwrap();
        assert!(host == "a" && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{value}");
        let html = String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        assert_eq!(html, "Back at 5; &lt;b&gt;&quot;soon&quot;&lt;/b&gt; &amp; %[src]<br>ʼTil then");
    }

    #[test]
    fn a_file_of_an_older_version_is_brought_up_to_date() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("routes.map");
        fs::write(&path, "a.localhost 10.0.0.2|80\nb.localhost none\n\nbroken\n").unwrap();
        Table::bring_up_to_date(directory.path(), "routes.map").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a.localhost 10.0.0.2|80/http\nb.localhost none/http\n");
        fs::remove_file(&path).unwrap();
        Table::bring_up_to_date(directory.path(), "routes.map").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "", "HAProxy does not start without the file");
    }

    #[test]
    fn refuses_what_is_no_host_or_no_target() {
        let (long, label) = (["abcdefghi"; 26].join("."), "a".repeat(64));
        let hosts =
            ["", "A.localhost", "a b", "a;show info", "a\nb", ".a", "a.", "-a", "a..b", "a:80", "ä", &long, &label];
        for host in hosts {
            assert!(Table::default().set(&[route(host, None, Scheme::Http)]).is_err(), "{host:?}");
        }
        for target in ["0.0.0.0:80", "10.0.0.1:0", "224.0.0.1:80"] {
            assert!(Table::default().set(&[route("a", Some(target), Scheme::Http)]).is_err(), "{target}");
        }
    }
}
