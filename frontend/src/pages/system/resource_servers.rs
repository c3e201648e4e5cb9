//! The servers of databases and buckets outside the machines: whether they answer, how full they are, and what differs from our records.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::system::{ResourceServerState, SystemState};

use super::lines_card::LinesCard;
use super::look::PartState;
use crate::words;

/// The card; nothing without such a server.
#[component]
pub(super) fn ResourceServersCard(system: Memo<Arc<SystemState>>) -> impl IntoView {
    let all = Memo::new(move |_| system.with(|system| system.resource_servers.clone()));
    let row = |server| view! { <Row server/> }.into_any();
    view! { <LinesCard id="databases" title="Servers of data" noun="server" all row/> }
}

#[component]
fn Row(server: ResourceServerState) -> impl IntoView {
    let part_state = PartState::answering(server.is_ok);
    let (what, room, why) = (what(&server), room(&server), troubles(&server));
    let is_lacking = server.kind.is_none();
    view! {
        <li class:failing=part_state == PartState::Fails || is_lacking>
            <b>{server.name.to_string()}</b>
            {part_state.label()}
            <div class="what">
                {what}
                {why.into_iter().map(|words| view! { <div class="why">{words}</div> }).collect_view()}
            </div>
            <span class="fine">{room}</span>
        </li>
    }
}

/// `MySQL · default`.
fn what(server: &ResourceServerState) -> String {
    let kind = server.kind.map(|kind| kind.name());
    let default = server.is_default.then_some("default");
    let exclusive = server.is_exclusive.then_some("for one instance");
    kind.into_iter().chain(default).chain(exclusive).collect::<Vec<_>>().join(" · ")
}

/// `3 databases of 2 instances`, `3 of 16 databases of 2 instances`.
fn room(server: &ResourceServerState) -> String {
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    let databases = match server.most_databases {
        Some(most) => format!("{} of {most} databases", server.databases),
        None => words::count(number(server.databases), server.kind.map_or("database", |kind| kind.unit())),
    };
    format!("{databases} of {}", words::count(number(server.instances), "instance"))
}

/// What an operator should look at.
fn troubles(server: &ResourceServerState) -> Vec<String> {
    let lacking = server.kind.is_none().then(|| {
        "The settings do not have this server: app servers keep using it, and nothing is made or deleted there until they do."
            .to_owned()
    });
    let error = server.last_error.as_deref().and_then(words::sentence);
    let listed = |names: &[String], words: &str| (!names.is_empty()).then(|| format!("{words}: {}.", names.join(", ")));
    let unowned =
        listed(&server.unowned, "With this installation's prefix and of no instance; ocim does not delete them");
    let missing = listed(&server.missing, "Made here, and not here any more");
    [lacking, error, unowned, missing].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_server_says_how_full_it_is_and_what_differs() {
        let server = samples::resource_server("main");
        assert_eq!((what(&server).as_str(), room(&server).as_str()), ("MySQL · default", "3 databases of 2 instances"));
        assert_eq!(troubles(&server), Vec::<String>::new());
        let numbered = ResourceServerState { most_databases: Some(16), ..server.clone() };
        assert_eq!(room(&numbered), "3 of 16 databases of 2 instances");
        let differs = ResourceServerState {
            unowned: vec!["ocim_1_a".into(), "ocim_1_b".into()],
            missing: vec!["ocim_1_c".into()],
            ..server.clone()
        };
        let words = troubles(&differs);
        assert_eq!(words.len(), 2);
        assert!(words.iter().any(|words| words.ends_with("ocim_1_a, ocim_1_b.")), "{words:?}");
        let lacking = ResourceServerState { kind: None, is_ok: None, ..server };
        assert_eq!(troubles(&lacking).len(), 1);
    }
}
