//! The recorded configuration of an app server.

use leptos::prelude::*;
use shared_types::applications;
use shared_types::settings::FieldKind;
use shared_types::{AppServer, Instance};
use std::sync::Arc;

use super::compare::Compare;
use crate::parts;
use crate::ui::{CopyButton, Icon, Shape, code_line, yaml};

#[component]
pub fn Configuration(
    instance: Memo<Arc<Instance>>,
    /// The app server that was built with this configuration.
    app_server: Memo<Arc<AppServer>>,
) -> impl IntoView {
    let is_opened = RwSignal::new(false);
    view! {
        <details class="card record" on:toggle=move |_| is_opened.set(true)>
            <summary>
                <Icon shape=Shape::Chevron/>
                <h2>"Configuration"</h2>
            </summary>
            <div class="body">
                <p>
                    "This is a record of this App Server's configuration. The configuration cannot be changed. Instead, change the configuration of the Instance, and launch a new App Server."
                </p>
                {move || is_opened.get().then(|| parts::show(move || parts::configuration(instance, app_server)))}
            </div>
        </details>
    }
}

/// The comparison with another configuration, and the record: what the card shows when it is first opened.
#[component]
pub fn ConfigurationBody(
    /// The instance whose other app servers it is compared with.
    instance: Memo<Arc<Instance>>,
    /// The app server that was built with this configuration.
    app_server: Memo<Arc<AppServer>>,
) -> impl IntoView {
    // Everything else in the record is constant; commits are pinned when the build begins.
    let playbooks = Memo::new(move |_| app_server.get().playbooks.clone());
    view! {
        <Compare instance id=app_server.with_untracked(|whole| whole.summary.id)/>
        {move || {
            let _changed = playbooks.get();
            view! { <Record app_server=app_server.get_untracked()/> }
        }}
    }
}

#[component]
fn Record(app_server: Arc<AppServer>) -> impl IntoView {
    let fields = applications::schema_of(&app_server.instance.instance_type).fields.iter().map(|field| {
        let value = match app_server.configuration.get(field.name).map(|value| field.text_of(value)) {
            Some(text) if field.kind == FieldKind::Flag => yes_or_no(&text).to_owned(),
            Some(text) if !text.is_empty() => text,
            Some(_) | None => "–".to_owned(),
        };
        let is_code = matches!(field.kind, FieldKind::Yaml | FieldKind::Requirements) && value != "–";
        view! {
            <dt>{field.label}</dt>
            <dd>{if is_code { view! { <Code text=value label=field.label/> }.into_any() } else { value.into_any() }}</dd>
        }
    });
    let playbooks = app_server.playbooks.iter().map(|playbook| {
        let commit = playbook.commit.clone().map(|commit| format!(" → {commit}"));
        view! {
            <dt>{playbook.playbook_path.clone()}</dt>
            <dd class="mono">{playbook.source_repo.clone()} " " {playbook.version.clone()} {commit}</dd>
        }
    });
    let variables = app_server.configuration_settings.clone();
    view! {
        <dl>{fields.collect_view()}</dl>
        <h3>"Playbooks"</h3>
        <dl>{playbooks.collect_view()}</dl>
        <h3>
            "Ansible variables" <CopyButton text=variables.clone()/>
        </h3>
        <Code text=variables label="Ansible variables"/>
    }
}

fn yes_or_no(flag: &str) -> &'static str {
    if flag == "true" { "Yes" } else { "No" }
}

/// Read-only YAML with highlighting.
#[component]
pub fn Code(
    text: String,
    /// The accessible name, for pages with several of them.
    #[prop(default = "YAML")]
    label: &'static str,
) -> impl IntoView {
    let mut reader = yaml::Lines::default();
    let lines = text.lines().map(|line| view! { {code_line(reader.pieces(line))} "\n" }).collect_view();
    view! { <div class="code" tabindex="0" role="region" aria-label=label>{lines}</div> }
}
