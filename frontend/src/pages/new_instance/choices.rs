//! What the new instance runs, and the template that it begins with.

use leptos::prelude::*;
use shared_types::applications::{self, ApplicationType};
use shared_types::instance_type::InstanceTemplate;

use super::published::Published;
use crate::components::Form;

/// The choice of the type: what each deploys, and why it is unavailable, if it is.
#[component]
pub fn Types(kind: RwSignal<&'static str>, published: Published) -> impl IntoView {
    let choice = |one: &'static ApplicationType| {
        let id = format!("type-{}", one.word);
        let for_id = id.clone();
        let unavailable = Memo::new(move |_| published.of(one, |it| it.unavailable.clone()));
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
pub fn Templates(kind: &'static ApplicationType, form: Form, published: Published) -> impl IntoView {
    let templates = Memo::new(move |_| published.of(kind, |it| it.templates.clone()));
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
