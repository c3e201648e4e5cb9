//! What an instance has of one kind: its account, and its databases or buckets, with their states, and what can be done with them.

use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::resource::{
    InstanceResources, Resource, ResourceClass, ResourcePart, ResourceState, WantedResources,
};
use shared_types::{Instance, ResourceKind, Role};
use std::sync::Arc;

use super::choose::ChooseDialog;
use super::credentials::CredentialsDialog;
use super::rotate::RotateDialog;
use crate::components::PossibleButton;
use crate::state::clock;
use crate::ui::{Icon, Shape};
use crate::words;

/// The dialog that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Choose,
    Credentials,
    Rotate,
}

#[component]
pub(super) fn KindCard(
    instance: Memo<Arc<Instance>>,
    resources: Memo<Arc<InstanceResources>>,
    kind: ResourceKind,
) -> impl IntoView {
    let id = instance.with_untracked(|instance| instance.summary.id);
    let items = Memo::new(move |_| {
        let of_kind = |one: &&Resource| one.kind == kind;
        resources.with(|resources| resources.items.iter().filter(of_kind).cloned().collect::<Vec<_>>())
    });
    let wanted =
        Memo::new(move |_| resources.with(|resources| resources.wanted.iter().find(|one| one.kind == kind).cloned()));
    let place = Memo::new(move |_| items.with(|items| account(items).map(words::resource::place)));
    let rows = move || items.get().into_iter().map(|one| view! { <Row one/> }).collect_view();
    let asked = RwSignal::new(None::<Asked>);
    let on_close = Callback::new(move |()| asked.set(None));
    let dialog = move || match asked.get() {
        None => ().into_any(),
        Some(Asked::Choose) => {
            let wanted = wanted.get_untracked().map(|wanted| wanted.databases).unwrap_or_default();
            view! { <ChooseDialog id kind wanted on_close/> }.into_any()
        }
        Some(Asked::Credentials) => view! { <CredentialsDialog id kind on_close/> }.into_any(),
        Some(Asked::Rotate) => view! { <RotateDialog instance kind on_close/> }.into_any(),
    };
    view! {
        <section class="card" aria-label=kind.name()>
            <header>
                <h2>{kind.name()}</h2>
                <span class="fine">{place}</span>
                <span class="right"><Buttons instance items asked/></span>
            </header>
            <ul class="lines">{rows}</ul>
            {move || wanted.get().and_then(|wanted| next(&wanted, items.with(Vec::is_empty)))}
        </section>
        {dialog}
    }
}

#[component]
fn Buttons(instance: Memo<Arc<Instance>>, items: Memo<Vec<Resource>>, asked: RwSignal<Option<Asked>>) -> impl IntoView {
    let is_archived = Memo::new(move |_| instance.with(|instance| instance.summary.archived_at.is_some()));
    let can_choose = Signal::derive(move || {
        if is_archived.get() { Possible::No("The instance is archived.") } else { items.with(|items| choosable(items)) }
    });
    let has_account = Memo::new(move |_| items.with(|items| account(items).is_some()));
    let is_made =
        Memo::new(move |_| items.with(|items| account(items).is_some_and(|one| one.class == ResourceClass::Made)));
    let can_rotate = Signal::derive(move || items.with(|items| rotatable(items)));
    let ask = move |what| Callback::new(move |()| asked.set(Some(what)));
    view! {
        <Show when=move || has_account.get()>
            <PossibleButton role=Role::Admin shape=Shape::Key label="Show credentials…" on_click=ask(Asked::Credentials)/>
        </Show>
        <Show when=move || is_made.get()>
            <PossibleButton
                possible=can_rotate
                role=Role::Admin
                shape=Shape::Refresh
                label="Replace password…"
                on_click=ask(Asked::Rotate)
            />
        </Show>
        <PossibleButton possible=can_choose shape=Shape::Swap label="Choose server…" on_click=ask(Asked::Choose)/>
    }
}

fn account(items: &[Resource]) -> Option<&Resource> {
    items.iter().find(|one| one.part == ResourcePart::Account)
}

/// Whether another server can be chosen: not once ocim has asked one for something.
fn choosable(items: &[Resource]) -> Possible {
    let holds = |one: &Resource| one.class == ResourceClass::Made && one.state != ResourceState::Wanted;
    match items.iter().any(holds) {
        true => Possible::No("It holds this instance's data. Another server would begin without it."),
        false => Possible::Yes,
    }
}

/// Whether the account's password can be replaced here.
fn rotatable(items: &[Resource]) -> Possible {
    match account(items) {
        Some(one) if one.is_shared => {
            Possible::No("Other instances use this key. Replace it at the store and in the settings file.")
        }
        Some(one) if one.state == ResourceState::Present => Possible::Yes,
        Some(_) | None => Possible::No("The account is not present."),
    }
}

#[component]
fn Row(one: Resource) -> impl IntoView {
    let now = clock::now();
    let (title, (tone, state)) = (words::resource::title(&one), words::resource::label(&one));
    let sized = one.clone();
    let why = one.trouble.as_deref().and_then(words::sentence);
    let due = one.password_due.then_some("The server could not be told the new password yet; it is tried again.");
    view! {
        <li>
            <div class="grow">
                <b>{title}</b>
                " "
                <span class="mono">{one.remote_name}</span>
                <div class="fine">{move || words::resource::size(&sized, now.get())}</div>
                {why.map(|why| view! { <div class="why" role="status">{why}</div> })}
                {due.map(|due| view! { <div class="why" role="status">{due}</div> })}
            </div>
            <span class=format!("label {tone}")>{state}</span>
        </li>
    }
}

/// What the next launch finds; none if everything that it asks for is there.
fn next(wanted: &WantedResources, is_empty: bool) -> Option<AnyView> {
    if let Some(missing) = &wanted.missing {
        let missing = missing.clone();
        return Some(
            view! {
                <div class="body">
                    <div class="notice" role="status">
                        <Icon shape=Shape::Warning/>
                        <span>"The next launch would be refused. " {missing}</span>
                    </div>
                </div>
            }
            .into_any(),
        );
    }
    let words = is_empty.then(|| next_words(wanted))?;
    Some(view! { <p class="body fine">{words}</p> }.into_any())
}

fn next_words(wanted: &WantedResources) -> String {
    let (databases, unit) = (wanted.databases.join(", "), wanted.kind.unit());
    let account = if wanted.kind.shares_account() { "" } else { "an account and " };
    match &wanted.server {
        Some(server) => format!("The next build makes {account}these {unit}s at {server}: {databases}."),
        None => format!("Optional, and no server is configured: app servers use their own for {databases}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn another_server_can_be_chosen_until_one_was_asked() {
        let account = |class, state| vec![Resource { class, state, ..samples::resource() }];
        assert_eq!(choosable(&[]), Possible::Yes);
        assert_eq!(choosable(&account(ResourceClass::Made, ResourceState::Wanted)), Possible::Yes);
        assert_eq!(choosable(&account(ResourceClass::Given, ResourceState::Present)), Possible::Yes);
        for state in [ResourceState::Creating, ResourceState::Present, ResourceState::Failed, ResourceState::Deleting] {
            assert!(choosable(&account(ResourceClass::Made, state)).why_not().is_some(), "{state:?}");
        }
    }

    #[test]
    fn a_key_that_instances_share_is_not_replaced_here() {
        let account = Resource { state: ResourceState::Present, ..samples::resource() };
        assert_eq!(rotatable(std::slice::from_ref(&account)), Possible::Yes);
        assert!(rotatable(&[Resource { is_shared: true, ..account }]).why_not().is_some());
        assert!(rotatable(&[]).why_not().is_some());
    }

    #[test]
    fn the_next_build_says_what_it_makes() {
        let wanted = samples::wanted();
        assert_eq!(next_words(&wanted), "The next build makes an account and these databases at main: main.");
        let buckets = WantedResources { kind: ResourceKind::S3, databases: vec!["files".into()], ..wanted.clone() };
        assert_eq!(next_words(&buckets), "The next build makes these buckets at main: files.");
        let optional = WantedResources { server: None, is_required: false, ..wanted };
        assert!(next_words(&optional).starts_with("Optional"));
    }
}
