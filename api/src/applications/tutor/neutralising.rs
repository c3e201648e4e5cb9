//! Variables that turn mail and payments off, because the data is a copy of another instance's.
//!
//! # Sources
//! `docs/configuration.rst` and `templates/config/defaults.yml` of Tutor: without `RUN_SMTP` there is no mail server on the machine, and
//! `SMTP_HOST` is the one that the platform uses. Tutor has no key for the mail back end: the playbook's plugin sets it for
//! `tutor_neutralised`, with the addresses of the shop. `ECOMMERCE_ENABLED_PAYMENT_PROCESSORS` is a key of the plugin `ecommerce`.
//!
//! Not covered: what the copied database says itself, and other plugins that send mail.

use serde_json::{Map, Value, json};

/// A host name that never exists (RFC 6761).
const NO_HOST: &str = "neutralised.invalid";

/// The variables. `merged`: those of the snapshot.
pub(super) fn variables(merged: &Map<String, Value>) -> Map<String, Value> {
    let keys = [
        ("RUN_SMTP", json!(false)),
        ("SMTP_HOST", json!(NO_HOST)),
        ("SMTP_USERNAME", json!("")),
        ("SMTP_PASSWORD", json!("")),
        ("ECOMMERCE_ENABLED_PAYMENT_PROCESSORS", json!([])),
        ("ECOMMERCE_ENABLED_CLIENT_SIDE_PAYMENT_PROCESSORS", json!([])),
    ];
    let own = keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect::<Map<_, _>>();
    // The playbook lets `tutor_config` win; what it overrides is overridden here, too, so that no reader is misled.
    let extra = merged.get("tutor_extra_config").and_then(Value::as_object);
    let extra: Map<_, _> =
        own.clone().into_iter().filter(|(key, _)| extra.is_some_and(|map| map.contains_key(key))).collect();
    let mut variables =
        Map::from_iter([("tutor_neutralised".to_owned(), Value::Bool(true)), ("tutor_config".to_owned(), own.into())]);
    if !extra.is_empty() {
        variables.insert("tutor_extra_config".to_owned(), extra.into());
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::yaml;

    #[test]
    fn mail_and_payments_are_off_even_if_the_extra_configuration_turns_them_on() {
        let before = json!({
            "tutor_config": { "LMS_HOST": "demo.example" },
            "tutor_extra_config": { "SMTP_HOST": "smtp.example", "RUN_SMTP": true, "THEME": "mine" },
        });
        let before = before.as_object().cloned().unwrap_or_default();
        let off = variables(&before);
        let expected = json!({
            "tutor_config": {
                "LMS_HOST": "demo.example",
                "RUN_SMTP": false,
                "SMTP_HOST": NO_HOST,
                "SMTP_USERNAME": "",
                "SMTP_PASSWORD": "",
                "ECOMMERCE_ENABLED_PAYMENT_PROCESSORS": [],
                "ECOMMERCE_ENABLED_CLIENT_SIDE_PAYMENT_PROCESSORS": [],
            },
            "tutor_extra_config": { "SMTP_HOST": NO_HOST, "RUN_SMTP": false, "THEME": "mine" },
            "tutor_neutralised": true,
        });
        assert_eq!(Value::Object(yaml::merge(before, off)), expected);
        assert_eq!(variables(&Map::new()).get("tutor_extra_config"), None);
    }
}
