#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const PARTS: Records = Records {
    item: "part",
    fields: &[
        Field::new("repository", "Repository", "", FieldKind::Repository, 500).required(),
        Field::new("path", "Path", "", FieldKind::Path, 200),
        Field::new("seconds", "Seconds", "", FieldKind::Whole { least: 1, most: 60 }, 2),
    ],
    most: 2,
};
const RECORDS: Field = Field::new("parts", "Parts", "", FieldKind::Records(&PARTS), 0);
const NAMES: Field = Field::new("names", "Names", "", FieldKind::Hostnames { most: 3 }, 0);

fn pointers(field: &Field, value: &Value) -> Vec<String> {
    field.check(value).err().into_iter().flatten().map(|error| error.pointer).collect()
}

#[test]
fn each_fault_of_a_record_is_named_with_its_place() {
    let right = json!([{ "repository": "https://a.example/b.git", "path": "site.yml", "seconds": 3 }]);
    assert_eq!(pointers(&RECORDS, &right), Vec::<String>::new());
    let wrong = json!([{ "path": "../x", "seconds": 99, "more": 1 }, 7]);
    let places = ["/parts/0/more", "/parts/0/repository", "/parts/0/path", "/parts/0/seconds", "/parts/1"];
    assert_eq!(pointers(&RECORDS, &wrong), places);
    let one = right.as_array().unwrap().first().unwrap();
    assert_eq!(pointers(&RECORDS, &json!([one, one, one])), ["/parts"], "too many");
    assert_eq!(pointers(&RECORDS, &json!({})), ["/parts"]);
}

#[test]
fn host_names_are_checked_one_by_one() {
    assert_eq!(pointers(&NAMES, &json!(["a.example", "b.example"])), Vec::<String>::new());
    assert_eq!(pointers(&NAMES, &json!(["a.example", "A", "a.example", 1])), ["/names"], "too many");
    assert_eq!(pointers(&NAMES, &json!(["a.example", "A", "a.example"])), ["/names/1", "/names/2"]);
    assert_eq!(pointers(&NAMES, &json!("a.example")), ["/names"]);
}

#[test]
fn a_form_gives_back_what_it_was_given() {
    let names = json!(["a.example", "b.example"]);
    assert_eq!(NAMES.text_of(&names), "a.example\nb.example");
    assert_eq!(NAMES.value_of(" a.example \n\nb.example\n"), names);
    let records = json!([{ "repository": "/srv/a", "path": null, "seconds": 3 }]);
    assert_eq!(RECORDS.value_of(&RECORDS.text_of(&records)), records);
    for field in [NAMES, RECORDS] {
        assert_eq!(field.value_of(""), Value::Null);
        assert_eq!(field.text_of(&json!([])), "");
    }
}

#[test]
fn a_form_says_where_in_a_record_the_fault_is() {
    let error = RECORDS.check_text(r#"[{"repository": "/srv/a", "seconds": 99}]"#).unwrap_err();
    assert_eq!(error, "1, seconds: Must be a whole number from 1 to 60.");
    assert_eq!(RECORDS.check_text("[").unwrap_err(), "Must be a list of objects.");
}

#[test]
fn records_are_stored_with_all_their_fields() {
    let tidied = RECORDS.tidy(&json!([{ "repository": " /srv/a ", "path": " " }]));
    assert_eq!(tidied, json!([{ "repository": "/srv/a", "path": null, "seconds": null }]));
}
