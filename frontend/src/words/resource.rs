//! Formats what an instance has outside its machines.

use chrono::{DateTime, Utc};
use shared_types::resource::{Resource, ResourceClass, ResourcePart, ResourceState};

use super::ago;

/// An amount of data in its largest unit: “0 B”, “4.0 kB”, “312 MB”, “1.2 GB”.
pub fn bytes(count: i64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut tenths = count.max(0).saturating_mul(10);
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while tenths >= 10_000 {
        let Some(larger) = units.next() else { break };
        tenths /= 1000;
        unit = Some(larger);
    }
    let unit = unit.copied().unwrap_or_default();
    if tenths < 100 && unit != "B" {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

/// The CSS class and the words of its label. What was entered was never looked for.
pub const fn label(one: &Resource) -> (&'static str, &'static str) {
    let tone = match (one.class, one.state) {
        (ResourceClass::Given, _) => return ("", "Entered"),
        (ResourceClass::Made, ResourceState::Present) => "good",
        (ResourceClass::Made, ResourceState::Failed) => "bad",
        (ResourceClass::Made, ResourceState::Wanted | ResourceState::Creating | ResourceState::Deleting) => "busy",
        (ResourceClass::Made, ResourceState::Deleted) => "",
    };
    (tone, one.state.name())
}

/// What it is: `Account`, `Database main`, `Bucket files`.
pub fn title(one: &Resource) -> String {
    match one.part {
        ResourcePart::Account if one.is_shared => "Account, used by all instances of this server".to_owned(),
        ResourcePart::Account => "Account".to_owned(),
        ResourcePart::Database => {
            let unit = super::capital(one.kind.unit()).unwrap_or_default();
            format!("{unit} {}", one.name)
        }
    }
}

/// Its size and when that was measured; none for what has no known size.
pub fn size(one: &Resource, now: DateTime<Utc>) -> Option<String> {
    let (size, measured) = (one.size_bytes?, one.measured_at?);
    Some(format!("{}, measured {}", bytes(size), ago(measured, now)))
}

/// Where the resources of one kind are: `main, db.example:3306`, `entered, db.example:3306`.
pub fn place(account: &Resource) -> String {
    let server = match (account.class, &account.server) {
        (ResourceClass::Given, _) => "entered".to_owned(),
        (ResourceClass::Made, Some(server)) => server.to_string(),
        (ResourceClass::Made, None) => String::new(),
    };
    match (&account.host, account.port) {
        (Some(host), Some(port)) => format!("{server}, {host}:{port}"),
        (Some(_) | None, _) => format!("{server}, which the settings do not have"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn amounts_have_two_digits_at_least_and_one_unit() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (4096, "4.0 kB"),
            (99_999, "99 kB"),
            (312_000_000, "312 MB"),
            (1_240_000_000, "1.2 GB"),
            (5_000_000_000_000_000, "5000 TB"),
        ];
        for (count, words) in cases {
            assert_eq!(bytes(count), words, "{count}");
        }
    }
}
