//! Says where the databases or buckets of one kind are: at a server of the settings, or where they exist already.

use std::collections::BTreeMap;

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::resource::{GivenResources, ResourceChoice};
use shared_types::system::ResourceServerState;
use shared_types::{InstanceId, ResourceKind};

use crate::api;
use crate::components::{Fill, FormDialog, RadioField, Refused, ShowPasswords, TextArea, TextField, password_kind};
use crate::state::data::Key;
use crate::state::state;

/// What a person types.
#[derive(Debug, Clone, Copy)]
struct Typed {
    is_given: RwSignal<bool>,
    server: RwSignal<String>,
    host: RwSignal<String>,
    port: RwSignal<String>,
    username: RwSignal<String>,
    password: RwSignal<String>,
    databases: RwSignal<String>,
    options: RwSignal<String>,
    has_tls: RwSignal<bool>,
}

impl Typed {
    /// `wanted`: names of the databases that the next app server asks for.
    fn new(kind: ResourceKind, wanted: &[String]) -> Self {
        let databases = wanted.iter().map(|name| format!("{name} = \n")).collect::<String>();
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            is_given: RwSignal::new(!kind.can_be_made()),
            server: text(""),
            host: text(""),
            port: text(&kind.port().to_string()),
            username: text(""),
            password: text(""),
            databases: text(&databases),
            options: text(""),
            has_tls: RwSignal::new(true),
        }
    }

    fn choice(self) -> ResourceChoice {
        if !self.is_given.get_untracked() {
            return ResourceChoice { server: Some(self.server.get_untracked()), given: None };
        }
        let given = GivenResources {
            host: self.host.get_untracked().trim().to_owned(),
            // What is no number is refused by the server at the field.
            port: Some(self.port.with_untracked(|port| port.trim().parse().unwrap_or_default())),
            username: self.username.get_untracked().trim().to_owned(),
            password: self.password.get_untracked(),
            has_tls: Some(self.has_tls.get_untracked()),
            databases: self.databases.with_untracked(|text| pairs(text)),
            options: self.options.with_untracked(|text| pairs(text)),
        };
        ResourceChoice { server: None, given: Some(given) }
    }

    fn possible(self) -> Possible {
        let is_blank = |text: RwSignal<String>| text.with(|text| text.trim().is_empty());
        match self.is_given.get() {
            false if is_blank(self.server) => Possible::No("Choose a server."),
            true if [self.host, self.username, self.password].into_iter().any(is_blank) => {
                Possible::No("Enter host, user and password.")
            }
            false | true => Possible::Yes,
        }
    }
}

/// Lines of `name = name at the server`. A line without `=` has the same name at both.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pair = |line: &str| {
        let (name, at) = line.split_once('=').unwrap_or((line, line));
        (name.trim().to_owned(), at.trim().to_owned())
    };
    lines.map(pair).collect()
}

#[component]
pub(super) fn ChooseDialog(
    id: InstanceId,
    kind: ResourceKind,
    /// Names of the databases that the next app server asks for.
    wanted: Vec<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let (typed, refused) = (Typed::new(kind, &wanted), Refused::default());
    let act: Fill = Callback::new(move |()| {
        let choice = typed.choice();
        async move {
            let answer = api::resources::choose(id, kind, &choice).await;
            data.refresh(Key::Resources(id));
            answer.map(|()| format!("{} chosen for the next app servers.", kind.name()))
        }
        .boxed_local()
    });
    let (makes, exist) = choice_words(kind);
    let choices =
        vec![(false, "A server of the settings", makes), (true, exist, "ocim makes and deletes nothing there.")];
    view! {
        <FormDialog
            title=format!("Where are the {}s of {}?", kind.unit(), kind.name())
            words="For the next app servers; present ones are unchanged. Nothing is copied."
            confirm="Save"
            possible=Signal::derive(move || typed.possible())
            refused
            act
            on_close
        >
            {kind.can_be_made().then(|| view! { <RadioField name="class" label="Place" choices chosen=typed.is_given/> })}
            <Show when=move || !typed.is_given.get()>
                <ServerField kind server=typed.server refused/>
            </Show>
            <Show when=move || typed.is_given.get()>
                <GivenFields kind typed refused/>
            </Show>
        </FormDialog>
    }
}

#[component]
fn ServerField(kind: ResourceKind, server: RwSignal<String>, refused: Refused) -> impl IntoView {
    let system = state().data.system();
    let names = Memo::new(move |_| {
        let of_kind = |one: &&ResourceServerState| one.kind == Some(kind);
        let name = |one: &ResourceServerState| one.name.to_string();
        system.with(|system| {
            system.here().map(|system| system.resource_servers.iter().filter(of_kind).map(name).collect::<Vec<_>>())
        })
    });
    // The first one is chosen until a person chooses another.
    Effect::new(move || {
        let first = names.with(|names| names.as_ref().and_then(|names| names.first().cloned()));
        if let Some(first) = first
            && server.with_untracked(String::is_empty)
        {
            server.set(first);
        }
    });
    let option = move |name: String| {
        let (value, own) = (name.clone(), name.clone());
        view! { <option value=value selected=move || server.with(|chosen| *chosen == own)>{name}</option> }
    };
    let options = move || names.get().unwrap_or_default().into_iter().map(option).collect_view();
    let is_none = move || names.with(|names| names.as_ref().is_some_and(Vec::is_empty));
    view! {
        <div class="field">
            <div><label for="resource-server">"Server"</label></div>
            <div>
                <select id="resource-server" on:change=move |event| server.set(event_target_value(&event))>{options}</select>
                <div class="why" aria-live="polite">
                    {move || refused.of("server").or_else(|| is_none().then(|| "The settings have no server of this kind.".to_owned()))}
                </div>
            </div>
        </div>
    }
}

/// What ocim makes at a server of the settings, and the name of the choice to enter what exists already.
const fn choice_words(kind: ResourceKind) -> (&'static str, &'static str) {
    match kind {
        ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::Redis | ResourceKind::Mongodb => {
            ("ocim makes an account and databases there with the next build.", "Databases that exist already")
        }
        ResourceKind::S3 => (
            "ocim makes buckets there with the next build. All instances use the key of the settings.",
            "Buckets that exist already",
        ),
        ResourceKind::Swift => (
            "ocim makes containers there with the next build. All instances use the user of the settings.",
            "Containers that exist already",
        ),
    }
}

/// The labels of the fields for user, password and names.
const fn labels(kind: ResourceKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::Redis | ResourceKind::Mongodb => {
            ("User", "Password", "Databases")
        }
        ResourceKind::S3 => ("Access key", "Secret key", "Buckets"),
        ResourceKind::Swift => ("User", "Password", "Containers"),
    }
}

/// What the field for options says, with an example; none: the kind has none.
const fn options_help(kind: ResourceKind) -> Option<&'static str> {
    match kind {
        ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::Redis => None,
        ResourceKind::Mongodb => {
            Some("One on each line, such as auth_source = admin: auth_mechanism, auth_source, replica_set")
        }
        ResourceKind::S3 => Some("One on each line, such as region = eu-central-1: addressing, region"),
        ResourceKind::Swift => {
            Some("One on each line, such as auth_path = /v3: auth_path, project, project_domain, region, user_domain")
        }
    }
}

#[component]
fn GivenFields(kind: ResourceKind, typed: Typed, refused: Refused) -> impl IntoView {
    let are_shown = RwSignal::new(false);
    let input = password_kind(are_shown);
    let (user, password, databases) = labels(kind);
    let options = options_help(kind).map(|help| {
        view! { <TextArea name="given/options" label="Options" help max=4000 typed=typed.options refused/> }
    });
    view! {
        <TextField name="given/host" label="Host" max=253 typed=typed.host refused/>
        <TextField name="given/port" label="Port" max=5 typed=typed.port refused/>
        <TextField name="given/username" label=user max=128 typed=typed.username refused/>
        <TextField name="given/password" label=password kind=input autocomplete="new-password" max=1000 typed=typed.password refused/>
        <TextArea
            name="given/databases"
            label=databases
            help="One on each line: the name that the application knows it by = its name at the server"
            max=4000
            typed=typed.databases
            refused
        />
        {options}
        <label class="check">
            <input type="checkbox" prop:checked=typed.has_tls on:change=move |event| typed.has_tls.set(event_target_checked(&event))/>
            "Connections must use TLS"
        </label>
        <ShowPasswords are_shown/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_line_names_a_database() {
        let read = pairs("main = campus\n\n forum=campus_forum \nnotes\n");
        let expected = [("main", "campus"), ("forum", "campus_forum"), ("notes", "notes")];
        assert_eq!(read, expected.map(|(name, at)| (name.to_owned(), at.to_owned())).into());
    }

    #[test]
    fn each_option_of_a_kind_is_named_where_it_is_entered() {
        for kind in ResourceKind::ALL.iter().copied() {
            let help = options_help(kind);
            assert_eq!(help.is_none(), kind.options().is_empty(), "{kind}");
            assert!(kind.options().iter().all(|option| help.is_some_and(|help| help.contains(option))), "{kind}");
        }
    }
}
