//! The form for a new instance: its type, the required settings, the others collapsed, and its future addresses.

mod choices;
mod creating;
mod published;

use leptos::prelude::*;
use serde_json::{Map, Value};
use shared_types::Role;
use shared_types::applications::{self, ApplicationType, SiteAddress};

use self::choices::{Templates, Types};
use self::creating::{Creating, Then};
use self::published::Published;
use crate::components::{FieldGroup, FieldRows, Form};
use crate::paths::{self, Page};
use crate::state::state;
use crate::ui::{Icon, Shape, Title, use_navigate};

#[component]
pub fn NewInstance() -> impl IntoView {
    let published = Published::fetch();
    let kind = RwSignal::new(applications::DEFAULT.word);
    let other = Memo::new(move |_| kind.get());
    view! {
        <Title text="New instance"/>
        <div class="page">
            <div class="head">
                <h1>"New instance"</h1>
            </div>
            {(applications::ALL.len() > 1).then(|| view! { <Types kind published/> })}
            {move || view! { <TypeForm kind=applications::named(other.get()) published/> }}
        </div>
    }
}

#[component]
fn TypeForm(kind: &'static ApplicationType, published: Published) -> impl IntoView {
    let form = Form::new(kind, &Map::new());
    let is_advanced = RwSignal::new(false);
    let creating = Creating { state: state(), kind, form, is_advanced, is_busy: RwSignal::new(false) };
    let navigate = use_navigate();
    let submit = Callback::new(move |then: Then| {
        creating.start(then, move |id| navigate(&paths::instance(id), Default::default()));
    });
    let submitted = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        submit.run(Then::Nothing);
    };
    view! {
        <form class="card new" on:submit=submitted aria-label="New instance" novalidate>
            <Templates kind form published/>
            <FieldRows form group=FieldGroup::Basic/>
            <Address kind form published/>
            <details class="more" prop:open=is_advanced>
                <summary>
                    <Icon shape=Shape::Chevron/>
                    "Advanced settings"
                    <span class="fine">"blank fields use their defaults"</span>
                </summary>
                <FieldRows form group=FieldGroup::Advanced/>
            </details>
            <Buttons kind published is_busy=creating.is_busy submit/>
        </form>
    }
}

#[component]
fn Buttons(
    kind: &'static ApplicationType,
    published: Published,
    is_busy: RwSignal<bool>,
    submit: Callback<Then>,
) -> impl IntoView {
    let session = state().session;
    let why_not = Memo::new(move |_| session.may(Role::Operator).why_not());
    let cannot_run = Memo::new(move |_| published.of(kind, |it| it.unavailable.clone()));
    let is_disabled = move || is_busy.get() || why_not.get().is_some();
    view! {
        <div class="form-end">
            <a class="btn" href=Page::Home.to_string()>"Cancel"</a>
            <button
                type="button"
                title=move || why_not.get().map(str::to_owned).or_else(|| cannot_run.get())
                disabled=move || is_disabled() || cannot_run.with(Option::is_some)
                on:click=move |_| submit.run(Then::Launch)
            >
                "Create and launch"
            </button>
            <button
                class="primary"
                type="submit"
                title=why_not
                aria-busy=move || is_busy.get().to_string()
                disabled=is_disabled
            >
                "Create instance"
            </button>
        </div>
    }
}

/// The addresses of the future sites.
#[component]
fn Address(kind: &'static ApplicationType, form: Form, published: Published) -> impl IntoView {
    let addresses = Memo::new(move |_| {
        let mut settings = published.of(kind, |it| it.defaults.clone());
        settings.extend(filled(kind, form.values()));
        let protocol = settings.get("protocol").and_then(Value::as_str).unwrap_or_default();
        let address = |site: SiteAddress| (site.label, published.url(protocol, &site.hostname));
        (kind.sites)(&settings).into_iter().map(address).collect::<Vec<_>>()
    });
    let lines = move || {
        let line = |(label, url): (String, String)| view! { <li>{label} ": " <b class="mono">{url}</b></li> };
        addresses.get().into_iter().map(line).collect_view()
    };
    view! {
        <div class="field" class:is-empty=move || addresses.with(Vec::is_empty)>
            <div>"Will be found at"</div>
            <ul class="addresses">{lines}</ul>
        </div>
    }
}

/// Leaves out blank fields: the server fills in its defaults.
fn filled(kind: &ApplicationType, mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.retain(|_, value| !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()));
    fields.insert("instance_type".to_owned(), kind.word.into());
    fields
}
