#![allow(clippy::unwrap_used)]
use super::*;

fn mode(url: &str) -> SslMode {
    Link::new(url).unwrap().config.get_ssl_mode()
}

#[test]
fn tls_is_required_unless_the_server_is_this_machine_or_the_url_says_otherwise() {
    for local in [
        "postgres://u:p@127.0.0.1/db",
        "postgres://u:p@127.8.9.10:5433/db",
        "postgres://u:p@[::1]/db",
        "postgres://u:p@localhost/db",
        "postgres:///db?host=/run/postgresql",
        "host=/run/postgresql user=u dbname=db",
        "postgres://u:p@db.example/db?sslmode=disable",
        "host=db.example user=u sslmode=disable",
    ] {
        assert_eq!(mode(local), SslMode::Disable, "{local}");
    }
    for away in [
        "postgres://u:p@db/db",
        "postgres://u:p@192.0.2.7/db",
        "postgres://u:p@db.example/db",
        "postgres://u:p@localhost.example/db",
        "postgres://u:p@localhost,db.example/db",
        "postgres://u:p@localhost/db?hostaddr=192.0.2.7",
        "postgres://u:p@localhost/db?sslmode=require",
        "postgres://u:p@db.example/db?sslmode=verify-full",
        "host=db.example user=u",
    ] {
        assert_eq!(mode(away), SslMode::Require, "{away}");
    }
    assert_eq!(mode("postgres://u:p@db.example/db?sslmode=prefer"), SslMode::Prefer);
    let error = Link::new("postgres://u:p@db.example/db?sslmode=perhaps").err().unwrap();
    assert!(error.to_string().contains("sslmode=perhaps"), "{error}");
}

#[test]
fn the_drivers_part_of_the_url_stays_as_it_is() {
    let asked = Asked::of("postgres://u:a?b@db/x?sslmode=prefer&application_name=me&sslrootcert=/etc/a%20b+c.pem");
    assert_eq!(asked.rest, "postgres://u:a?b@db/x?application_name=me");
    assert_eq!(asked.mode.as_deref(), Some("prefer"));
    assert_eq!(asked.roots.as_deref(), Some(Path::new("/etc/a b+c.pem")));
    assert_eq!(Asked::of("postgres://u@db/x?sslmode=disable").rest, "postgres://u@db/x");
    assert_eq!(Asked::of("host=db password='a b'").rest, "host=db password='a b'");
}

#[test]
fn a_file_without_certificates_is_refused_by_its_name() {
    let error = Link::new("postgres://u@db/x?sslrootcert=/nowhere/ca.pem").err().unwrap();
    assert!(error.to_string().contains("/nowhere/ca.pem"), "{error}");
}

#[test]
fn postgres_programs_get_the_same_demands_and_no_password() {
    let tools = |url: &str| Link::new(url).unwrap().for_tools().unwrap().to_string();
    assert_eq!(tools("postgres://u:p@localhost/db"), "postgres://u@localhost/db?sslmode=disable");
    assert_eq!(
        tools("postgres://u:p@db.example/db?application_name=me&sslmode=prefer"),
        "postgres://u@db.example/db?application_name=me&sslmode=prefer"
    );
    assert!(tools("postgres://u:p@db.example/db").contains("sslmode=verify-full&sslrootcert="));
    assert_eq!(
        tools("postgres://u:p@localhost/db?options=-c%20statement_timeout%3D10min&application_name=a+b"),
        "postgres://u@localhost/db?options=-c%20statement_timeout%3D10min&application_name=a+b&sslmode=disable"
    );
}

#[test]
fn only_another_machine_without_a_demand_for_tls_is_in_clear() {
    for url in [
        "postgres://u:p@db.example/x?sslmode=disable",
        "postgres://u:p@db.example/x?sslmode=prefer",
        "postgres://u:p@db.example/x?sslmode=allow",
        "postgres://u:p@10.0.0.7/x?sslmode=disable",
        "postgres://u@localhost/x?hostaddr=192.0.2.7&sslmode=disable",
    ] {
        assert!(may_be_in_clear(url), "{url}");
    }
    for url in [
        "postgres://u:p@db.example/x",
        "postgres://u:p@db.example/x?sslmode=require",
        "postgres://u:p@localhost/x?sslmode=disable",
        "postgres://u:p@127.0.0.1/x",
    ] {
        assert!(!may_be_in_clear(url), "{url}");
    }
}

#[test]
fn limits_of_the_url_win() {
    let link = Link::new("postgres://u@localhost/db?options=-c%20statement_timeout%3D1s").unwrap();
    let (config, _) = link.parts(Purpose::Request);
    let options = config.get_options().unwrap().to_owned();
    assert!(
        options.starts_with("-c statement_timeout=25s ") && options.ends_with(" -c statement_timeout=1s"),
        "{options}"
    );
}
