//! What is said about names in the DNS.

use shared_types::dns::{AuthorityAnswer, AuthorityState, InstanceName, NameState};

use crate::ui::Shape;
use crate::words::count;

/// Tone, icon and text of a name's state.
pub(super) const fn label(name: &InstanceName) -> (&'static str, Shape, &'static str) {
    if !name.is_wanted {
        return ("busy", Shape::Dots, "Being removed");
    }
    match (name.state, name.is_written) {
        (NameState::Right, true) => ("good", Shape::Check, "Right, set by ocim"),
        (NameState::Right, false) => ("good", Shape::Check, "Right"),
        (NameState::Late, _) => ("busy", Shape::Dots, "Right at some servers"),
        (NameState::Elsewhere, _) => ("bad", Shape::Cross, "Points elsewhere"),
        (NameState::Absent, _) => ("bad", Shape::Cross, "Not set"),
        (NameState::Unchecked, _) => ("", Shape::Dots, "Not checked yet"),
        (NameState::Unknown, _) => ("", Shape::Warning, "Not known"),
    }
}

/// Class and icon of one server's answer.
pub(super) const fn mark(state: AuthorityState) -> (&'static str, Shape) {
    match state {
        AuthorityState::Right => ("good", Shape::Check),
        AuthorityState::Partial
        | AuthorityState::Elsewhere
        | AuthorityState::Absent
        | AuthorityState::NotServing
        | AuthorityState::Silent => ("bad", Shape::Cross),
    }
}

/// `ns1.example.org (192.0.2.53)`.
pub(super) fn server(answer: &AuthorityAnswer) -> String {
    match &answer.address {
        Some(address) => format!("{} ({address})", answer.server),
        None => answer.server.clone(),
    }
}

/// `1 of 2 servers say so`.
pub(super) fn servers(all: &[AuthorityAnswer]) -> String {
    let right = all.iter().filter(|answer| answer.state == AuthorityState::Right).count();
    format!("{right} of {} right", count(all.len(), "server"))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn name(state: NameState, is_written: bool, is_wanted: bool) -> InstanceName {
        InstanceName {
            name: "campus.example.org".to_owned(),
            is_wanted,
            is_written,
            state,
            words: String::new(),
            zone: None,
            last_error: None,
            servers: Vec::new(),
            checked_at: None,
        }
    }

    #[test]
    fn only_a_name_that_is_right_everywhere_is_good() {
        for state in NameState::ALL {
            let (tone, _, _) = label(&name(*state, false, true));
            assert_eq!(tone == "good", *state == NameState::Right, "{state:?}");
        }
        assert_eq!(label(&name(NameState::Right, true, true)).2, "Right, set by ocim");
        assert_eq!(label(&name(NameState::Right, true, false)).2, "Being removed");
    }

    #[test]
    fn servers_are_counted_and_named_with_their_address() {
        let answer = |state, address: Option<&str>| AuthorityAnswer {
            server: "ns1.example.org".to_owned(),
            address: address.map(str::to_owned),
            state,
            words: String::new(),
            found: Vec::new(),
            serial: None,
        };
        let all = [answer(AuthorityState::Right, Some("192.0.2.53")), answer(AuthorityState::Silent, None)];
        assert_eq!(servers(&all), "1 of 2 servers right");
        assert_eq!(all.each_ref().map(server), ["ns1.example.org (192.0.2.53)", "ns1.example.org"]);
    }
}
