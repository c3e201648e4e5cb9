//! The form for a new instance: its type, the required settings, the others collapsed, and its future addresses.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Map, Value};
use shared_types::applications::{self, ApplicationType};
use shared_types::instance_type::{InstanceTemplate, InstanceType};
use shared_types::launch::LaunchAppServer;
use shared_types::{Instance, Role};

use crate::api::{self, ApiError};
use crate::components::{FieldGroup, FieldRows, Form};
use crate::paths::{self, Page};
use crate::state::{About, Claim, State, state};
use crate::ui::{Icon, Shape, Title, use_navigate};

/// The server's description of each type, by its word; empty until fetched.
type Published = RwSignal<HashMap<String, InstanceType>>;

#[component]
pub fn NewInstance() -> impl IntoView {
    let published: Published = RwSignal::default();
    spawn_local(async move {
        // The form also works without a response: the server fills in its defaults.
        if let Ok(types) = api::instances::types().await {
            let by_word = types.items.into_iter().map(|one| (one.instance_type.clone(), one));
            published.try_set(by_word.collect());
        }
    });
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

/// The choice of the type: what each deploys, and why it is unavailable, if it is.
#[component]
fn Types(kind: RwSignal<&'static str>, published: Published) -> impl IntoView {
    let choice = |one: &'static ApplicationType| {
        let id = format!("type-{}", one.word);
        let for_id = id.clone();
        let unavailable =
            Memo::new(move |_| published.with(|known| known.get(one.word).and_then(|it| it.unavailable.clone())));
        view! {
            <label class="kind" for=for_id>
                <input
                    id=id
                    type="radio"
                    name="instance_type"
                    value=one.word
                    prop:checked=move || kind.get() == one.word
                    on:change=move |_| kind.set(one.word)
                />
                <span>
                    <b>{one.label}</b>
                    <small>{one.description}</small>
                    {move || unavailable.get().map(|why| view! { <small class="health-reason">{why}</small> })}
                </span>
            </label>
        }
    };
    view! {
        <fieldset class="kinds">
            <legend>"What it runs"</legend>
            {applications::ALL.iter().map(|one| choice(one)).collect_view()}
        </fieldset>
    }
}

/// The templates of the type, if any: choosing one fills the form.
#[component]
fn Templates(kind: &'static ApplicationType, form: Form, published: Published) -> impl IntoView {
    let templates = Memo::new(move |_| {
        published.with(|known| known.get(kind.word).map(|it| it.templates.clone()).unwrap_or_default())
    });
    let chosen = RwSignal::new(None::<String>);
    let choice = move |template: Option<InstanceTemplate>| {
        let name = template.as_ref().map(|template| template.name.clone());
        let id = format!("template-{}", name.as_deref().unwrap_or("none"));
        let (label, description) = template
            .as_ref()
            .map_or(("Empty", "Your own playbook."), |it| (it.label.as_str(), it.description.as_str()));
        let (label, description) = (label.to_owned(), description.to_owned());
        let (is_chosen, for_id) = (name.clone(), id.clone());
        let settings = template.map(|template| template.settings).unwrap_or_default();
        view! {
            <label class="kind" for=for_id>
                <input
                    id=id
                    type="radio"
                    name="template"
                    prop:checked=move || chosen.with(|chosen| *chosen == is_chosen)
                    on:change=move |_| {
                        chosen.set(name.clone());
                        form.fill(&settings);
                    }
                />
                <span>
                    <b>{label}</b>
                    <small>{description}</small>
                </span>
            </label>
        }
    };
    let choices = move || std::iter::once(None).chain(templates.get().into_iter().map(Some)).map(choice).collect_view();
    move || {
        let is_any = templates.with(|templates| !templates.is_empty());
        is_any.then(|| {
            view! {
                <fieldset class="kinds">
                    <legend>"Begin with"</legend>
                    {choices()}
                </fieldset>
            }
        })
    }
}

/// What to do after creating the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Nothing,
    Launch,
}

#[component]
fn TypeForm(kind: &'static ApplicationType, published: Published) -> impl IntoView {
    let state = state();
    let navigate = use_navigate();
    let form = Form::new(kind, &Map::new());
    let is_busy = RwSignal::new(false);
    let is_advanced = RwSignal::new(false);
    let is_basic = move |name: &str| name == "name" || kind.schema.field(name).is_some_and(|field| field.is_basic);
    let created = Callback::new(move |(instance, is_launched): (Instance, bool)| {
        let (id, name) = (instance.summary.id, instance.summary.name.clone());
        state.data.take_instance(instance);
        if is_launched {
            state.toasts.success(format!("{name} created; its first app server is being built."));
        } else {
            let about = About::Claim(id, Claim::NothingRuns);
            state.toasts.success_about(about, format!("{name} created. Next: launch its first app server."));
        }
        navigate(&paths::instance(id), Default::default());
    });
    let refused = Callback::new(move |error: ApiError| {
        // The error may be in the collapsed part: expand it.
        if error.fields().any(|(name, _)| !is_basic(name)) {
            is_advanced.set(true);
        }
        if !form.refuse(&error) {
            state.failed("Creating failed", &error);
        }
    });
    let submit = Callback::new(move |then: Then| {
        if is_busy.get_untracked() || !form.judge() {
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            let answer = create(state, &filled(kind, form.changes()), then).await;
            is_busy.try_set(false);
            match answer {
                Ok(made) => created.run(made),
                Err(error) => refused.run(error),
            }
        });
    });
    let why_not = Memo::new(move |_| state.session.may(Role::Operator).why_not());
    let cannot_run =
        Memo::new(move |_| published.with(|known| known.get(kind.word).and_then(|it| it.unavailable.clone())));
    let is_disabled = move || is_busy.get() || why_not.get().is_some();
    view! {
        <form
            class="card new"
            on:submit=move |event| {
                event.prevent_default();
                submit.run(Then::Nothing);
            }
            aria-label="New instance"
            novalidate
        >
            <Templates kind form published/>
            <FieldRows form group=FieldGroup::Basic/>
            <Address kind form published/>
            <details class="more" prop:open=is_advanced>
                <summary>
                    <Icon shape=Shape::Chevron/>
                    "Advanced settings"
                    <span class="fine">"what is left blank gets its default"</span>
                </summary>
                <FieldRows form group=FieldGroup::Advanced/>
            </details>
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
        </form>
    }
}

/// Creates the instance and, if requested, launches its first app server. Returns whether that was launched.
async fn create(state: State, fields: &Map<String, Value>, then: Then) -> Result<(Instance, bool), ApiError> {
    let instance = api::instances::create(fields).await?;
    if then == Then::Nothing {
        return Ok((instance, false));
    }
    // The instance exists even if the launch fails.
    match api::instances::launch(instance.summary.id, &LaunchAppServer::default()).await {
        Ok(_) => Ok((instance, true)),
        Err(error) => {
            state.failed("Launching failed", &error);
            Ok((instance, false))
        }
    }
}

/// The addresses of the future sites.
#[component]
fn Address(kind: &'static ApplicationType, form: Form, published: Published) -> impl IntoView {
    let sites = Memo::new(move |_| {
        let mut settings =
            published.with(|known| known.get(kind.word).map(|it| it.defaults.clone()).unwrap_or_default());
        settings.extend(filled(kind, form.values()));
        (kind.sites)(&settings)
    });
    let lines = move || {
        let line = |site: applications::SiteAddress| {
            view! { <li>{site.label} ": " <b class="mono">{site.hostname}</b></li> }
        };
        sites.get().into_iter().map(line).collect_view()
    };
    view! {
        <div class="field" class:is-empty=move || sites.with(Vec::is_empty)>
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
