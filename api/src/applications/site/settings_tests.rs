#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;
use crate::applications::site::testing::site;

fn of(current: Option<&Value>, input: Value) -> Result<Value, Vec<String>> {
    let made = apply(&site().defaults, current, input.as_object().unwrap());
    made.map_err(|errors| errors.into_iter().map(|error| error.pointer).collect())
}

fn first() -> Value {
    of(None, json!({"hostnames": ["School "], "playbooks": [{"repository": " /srv/x ", "path": ""}]})).unwrap()
}

#[test]
fn blanks_become_defaults_and_labels_whole_host_names() {
    let expected = json!({
        "hostnames": ["school.campus.example"],
        "base_domain": "campus.example",
        "protocol": "https",
        "playbooks": [
            {"repository": "/srv/x", "version": "main", "path": "playbooks/site.yml", "requirements": "requirements.txt"}
        ],
        "variables": "",
        "resources": [],
        "checks": [],
        "hooks": [],
        "memory_mb": 0,
        "disk_gb": 0,
    });
    assert_eq!(first(), expected);
}

#[test]
fn only_named_fields_change() {
    let checks = json!([{"host": "School", "statuses": " ", "path": "/health"}]);
    let changed = of(Some(&first()), json!({"checks": checks, "variables": "a: 1\n"})).unwrap();
    assert_eq!(changed["hostnames"], json!(["school.campus.example"]));
    let check = json!({"host": "school.campus.example", "path": "/health", "statuses": "200-399", "text": "", "timeout_seconds": 5});
    assert_eq!(changed["checks"], json!([check]));
    let back = of(Some(&changed), json!({"checks": null, "variables": null})).unwrap();
    assert_eq!(back, first());
    assert_eq!(of(Some(&changed), json!({})).unwrap(), changed);
}

#[test]
fn another_base_domain_leaves_whole_host_names_as_they_are() {
    let moved = of(Some(&first()), json!({"base_domain": "other.example"})).unwrap();
    assert_eq!(moved["hostnames"], json!(["school.campus.example"]));
    let added = of(Some(&moved), json!({"hostnames": ["school.campus.example", "shop"]})).unwrap();
    assert_eq!(added["hostnames"], json!(["school.campus.example", "shop.other.example"]));
}

#[test]
fn errors_name_their_place() {
    assert_eq!(of(None, json!({})), Err(vec!["/hostnames".to_owned(), "/playbooks".to_owned()]));
    assert_eq!(
        of(None, json!({"hostnames": [], "playbooks": []})),
        Err(vec!["/hostnames".into(), "/playbooks".into()])
    );
    let alone = json!({"hostnames": ["a.b"], "playbooks": [{"repository": "/x", "path": "../x"}], "checks": "/", "hooks": [{}],
        "memory_mb": -1});
    let places = ["/playbooks/0/path", "/checks", "/hooks/0/moment", "/hooks/0/playbook", "/memory_mb"];
    assert_eq!(of(None, alone), Err(places.map(str::to_owned).into()));
    let together =
        json!({"hostnames": ["a", "a.campus.example"], "playbooks": [{"repository": "/x"}], "checks": [{"host": "c"}]});
    assert_eq!(of(None, together), Err(vec!["/hostnames/1".to_owned(), "/checks/0/host".to_owned()]));
    assert_eq!(of(Some(&json!({"sub_domain": "x"})), json!({})), Err(vec![String::new()]));
    assert_eq!(of(Some(&first()), json!({"sub_domain": "x"})), Err(vec!["/sub_domain".to_owned()]));
}
