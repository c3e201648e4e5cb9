//! Where the data of an instance is: on the machines of its app servers, or in databases and buckets outside them; and its
//! backups.

mod choose;
mod credentials;
mod kind;
mod rotate;

use leptos::prelude::*;
use shared_types::applications::DataPlace;
use shared_types::resource::InstanceResources;
use shared_types::{Instance, ResourceKind};
use std::sync::Arc;

use self::kind::KindCard;
use crate::components::{BackupsCard, data_place};
use crate::pages::when_here;
use crate::paths::{Page, Tab};
use crate::state::state;

#[component]
pub fn DataTab(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let id = instance.with_untracked(|instance| instance.summary.id);
    let name = Memo::new(move |_| instance.with(|instance| instance.summary.name.clone()));
    let is_archived = Memo::new(move |_| instance.with(|instance| instance.summary.archived_at.is_some()));
    let data = state().data;
    let (resources, backups) = (data.resources(id), data.backups(id));
    view! {
        <div class="stack">
            <PlaceCard instance/>
            {when_here(resources, move |resources| view! { <Kinds instance resources/> }.into_any())}
            {when_here(backups, move |backups| view! { <BackupsCard id name is_archived backups/> }.into_any())}
        </div>
    }
}

/// Where the databases of the next app server are.
#[component]
fn PlaceCard(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let place =
        Memo::new(move |_| instance.with(|instance| data_place(&instance.summary.instance_type, &instance.settings)));
    let id = instance.with_untracked(|instance| instance.summary.id);
    let settings = Page::Instance(id, Tab::Settings).to_string();
    view! {
        <section class="card" aria-label="Where its data is">
            <header>
                <h2>"Where its data is"</h2>
                <span class="right"><a href=settings>"Settings"</a></span>
            </header>
            <p class="body">{move || place_words(place.get())}</p>
        </section>
    }
}

const fn place_words(place: DataPlace) -> &'static str {
    match place {
        DataPlace::Outside => {
            "In databases outside the machines. All app servers with the present settings use the same ones: a switch keeps what users have stored."
        }
        DataPlace::Machine => {
            "On the machine of each app server. A new app server starts with empty databases, and they are deleted with its machine."
        }
        DataPlace::Playbooks => {
            "Its playbooks decide it. What they keep on a machine is not copied to the machine of the next app server, and is deleted with the machine."
        }
    }
}

/// A card for each kind that there is, or that the next app server asks for.
#[component]
fn Kinds(instance: Memo<Arc<Instance>>, resources: Memo<Arc<InstanceResources>>) -> impl IntoView {
    let kinds = Memo::new(move |_| resources.with(|resources| kinds_of(resources)));
    view! {
        <For each=move || kinds.get() key=|kind| *kind let:kind>
            <KindCard instance resources kind/>
        </For>
    }
}

fn kinds_of(resources: &InstanceResources) -> Vec<ResourceKind> {
    let is_shown = |kind: &ResourceKind| {
        resources.items.iter().any(|one| one.kind == *kind) || resources.wanted.iter().any(|one| one.kind == *kind)
    };
    ResourceKind::ALL.iter().copied().filter(is_shown).collect()
}
