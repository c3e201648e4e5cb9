//! Access to machines in words.

use chrono::{DateTime, Utc};
use shared_types::ssh_access::{AccessGrant, AppServerAccess};

use super::ago;

/// How many people may log in: “2 people, 3 keys”.
pub fn summary(access: &AppServerAccess) -> String {
    let open: Vec<_> = access.items.iter().filter(|one| one.revoked_at.is_none()).collect();
    let mut people: Vec<_> = open.iter().map(|one| (one.origin.as_str(), &one.person)).collect();
    people.sort_unstable();
    people.dedup();
    let counted = match (people.len(), open.len()) {
        (0, _) => return "no one".to_owned(),
        (1, 1) => "1 person, 1 key".to_owned(),
        (1, keys) => format!("1 person, {keys} keys"),
        (people, keys) => format!("{people} people, {keys} keys"),
    };
    if access.trouble.is_some() { format!("{counted}; could not be brought up to date") } else { counted }
}

/// Since when, or until when, a key lets a person in.
pub fn when(grant: &AccessGrant, now: DateTime<Utc>) -> String {
    match (grant.revoked_at, grant.confirmed_at) {
        (Some(end), _) => format!("until {}", ago(end, now)),
        (None, Some(start)) => format!("since {}", ago(start, now)),
        (None, None) => "being installed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::ssh_access::AccessOrigin;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn grant(person: &str, is_over: bool) -> AccessGrant {
        let at = DateTime::default();
        AccessGrant {
            person: person.to_owned(),
            origin: AccessOrigin::User,
            user_id: None,
            key_name: "laptop".to_owned(),
            fingerprint: "SHA256:x".to_owned(),
            granted_at: at,
            confirmed_at: Some(at),
            revoked_at: is_over.then_some(at),
        }
    }

    #[test]
    fn people_are_counted_once_and_only_while_they_have_access() {
        let access = |items: Vec<AccessGrant>, trouble: Option<&str>| AppServerAccess {
            items,
            team: None,
            team_trouble: None,
            team_read_at: None,
            installed_at: None,
            trouble: trouble.map(str::to_owned),
            next_try: None,
        };
        assert_eq!(summary(&access(vec![grant("ada", true)], None)), "no one");
        assert_eq!(summary(&access(vec![grant("ada", false), grant("bob", true)], None)), "1 person, 1 key");
        let three = vec![grant("ada", false), grant("ada", false), grant("bob", false)];
        assert_eq!(summary(&access(three, Some("x"))), "2 people, 3 keys; could not be brought up to date");
    }
}
