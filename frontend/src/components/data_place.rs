//! What users are told about the data of an app server before it is launched, gets the traffic or ends.

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::applications::{self, DataPlace};
use shared_types::{AppServer, AppServerSummary, Instance};
use std::sync::Arc;

use crate::paths::{Page, Tab};
use crate::state::state;
use crate::ui::{Icon, Shape};

/// Where the databases of app servers with these settings are.
pub fn data_place(instance_type: &str, settings: &Map<String, Value>) -> DataPlace {
    (applications::outline(instance_type).data)(settings)
}

/// Where those of an app server are.
pub fn place_of(app_server: &AppServer) -> DataPlace {
    let none = Map::new();
    data_place(&app_server.instance.instance_type, app_server.configuration.as_object().unwrap_or(&none))
}

/// Said beside the button that launches: that the next app server does not have the present data.
#[component]
pub fn NextData(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let words = Memo::new(move |_| instance.with(|instance| next_words(instance)));
    let id = instance.with_untracked(|instance| instance.summary.id);
    let link = Page::Instance(id, Tab::Data).to_string();
    move || {
        let link = link.clone();
        words.get().map(|words| view! { <p class="body fine">{words} " " <a href=link>"Where data is"</a></p> })
    }
}

fn next_words(instance: &Instance) -> Option<&'static str> {
    let is_archived = instance.summary.archived_at.is_some();
    let place = data_place(&instance.summary.instance_type, &instance.settings);
    match place {
        DataPlace::Machine if !is_archived => Some("The next AppServer starts with empty databases."),
        DataPlace::Playbooks if !is_archived && !instance.appservers.is_empty() => {
            Some("The next AppServer does not get what is on the machines of the others.")
        }
        DataPlace::Machine | DataPlace::Playbooks | DataPlace::Outside => None,
    }
}

/// Said before the traffic moves: what the next app server does not have of the active one's data.
#[component]
pub fn DataLoss(active: AppServerSummary, target: AppServerSummary) -> impl IntoView {
    let data = state().data;
    let (from, to, name) = (data.app_server(active.id), data.app_server(target.id), target.name);
    let loss = Memo::new(move |_| {
        let place = |whole: &Arc<AppServer>| place_of(whole);
        let from = from.with(|from| from.here().map(place))?;
        from.loss(to.with(|to| to.here().map(place))?)
    });
    move || {
        let name = name.clone();
        loss.get().map(|loss| {
            view! {
                <div class="notice" role="note" aria-label="Data">
                    <Icon shape=Shape::Warning/>
                    <span class="grow"><b>{name}</b> " " {loss}</span>
                </div>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_place_is_that_of_the_type() {
        let place = |kind, settings: Value| data_place(kind, &settings.as_object().cloned().unwrap_or_default());
        assert_eq!(place("openedx", json!({ "use_ephemeral_databases": false })), DataPlace::Outside);
        assert_eq!(place("openedx", json!({ "use_ephemeral_databases": true })), DataPlace::Machine);
        assert_eq!(place("of another program", json!({})), DataPlace::Playbooks);
    }
}
