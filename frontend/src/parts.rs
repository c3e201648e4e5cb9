//! Screens that are loaded on demand: their code is fetched when a user first opens them.
//!
//! With the feature `split`, which `script/build-spa` sets, the screens of each part are a separate file. Without it
//! (tests, quick builds) there is one file, and every part is loaded from the beginning.

// The split points are functions linked by name, for which the attribute generates `unsafe` code.
#![cfg_attr(feature = "split", allow(unsafe_code))]

use std::future::Future;
use std::sync::Arc;

use leptos::callback::UnsyncCallback;
use leptos::prelude::*;
use leptos::reactive::computed::ScopedFuture;
use leptos::task::spawn_local;
use leptos::wasm_split::SplitLoaderError;
use shared_types::app_server::Activation;
use shared_types::backup::Backup;
use shared_types::{AppServer, AppServerSummary, Instance};

use crate::components::{
    ArchiveDialog, Ask, Backups, ConfigurationBody, Launch, MaintenanceDialog, PreviewLinksDialog, PurgeDialog,
    Snapshot, Undo, UndoChoice, Undoing,
};
use crate::pages::{self, Before};
use crate::ui::{Icon, Loading, Shape};

/// A screen, or the error that its code could not be loaded.
pub type Screen = Result<AnyView, SplitLoaderError>;

/// Defines a screen of a part as a function that can be awaited.
macro_rules! screen {
    ($(#[$doc:meta])* $part:ident: $name:ident($($argument:ident: $type:ty),*) => $view:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`SplitLoaderError`] if the code cannot be loaded.
        #[cfg(feature = "split")]
        #[leptos::wasm_split::wasm_split($part, wasm_split_path = ::leptos::wasm_split, fallible)]
        pub fn $name($($argument: $type),*) -> Screen {
            Ok($view)
        }

        $(#[$doc])*
        ///
        /// # Errors
        /// None: the code is already loaded.
        #[cfg(not(feature = "split"))]
        pub async fn $name($($argument: $type),*) -> Screen {
            Ok($view)
        }
    };
}

screen! {
    /// The form for a new instance.
    settings: new_instance() => view! { <pages::NewInstance/> }.into_any()
}
screen! {
    /// The settings of an instance.
    settings: settings(instance: Memo<Arc<Instance>>, launch: Launch, ask: Ask, before: Before) =>
        view! { <pages::SettingsTab instance launch ask before/> }.into_any()
}
screen! {
    /// Where the data of an instance is.
    settings: data(instance: Memo<Arc<Instance>>) => view! { <pages::DataTab instance/> }.into_any()
}
screen! {
    /// The dialog that puts the maintenance page of an instance up.
    settings: maintenance(instance: Arc<Instance>, on_close: Callback<()>) =>
        view! { <MaintenanceDialog instance on_close/> }.into_any()
}
screen! {
    /// The dialog with the preview links of an app server.
    settings: preview_links(target: AppServerSummary, on_close: Callback<()>) =>
        view! { <PreviewLinksDialog target on_close/> }.into_any()
}
screen! {
    /// The dialog that archives an instance.
    settings: archive(instance: Arc<Instance>, on_close: Callback<()>) =>
        view! { <ArchiveDialog instance on_close/> }.into_any()
}
screen! {
    /// The dialog that deletes an archived instance.
    settings: purge(instance: Arc<Instance>, on_close: Callback<()>) =>
        view! { <PurgeDialog instance on_close/> }.into_any()
}
screen! {
    /// The choice of a rollback whether the databases go back, too.
    settings: undo_choice(undo: Undo, snapshot: Snapshot, instance: String, target: String, backups: Backups) =>
        view! { <UndoChoice undo snapshot instance target backups/> }.into_any()
}
screen! {
    /// How far such a rollback has come.
    settings: undoing(requested: Backup, instance: Memo<Arc<Instance>>, switch: Memo<Option<Activation>>, close: Callback<()>) =>
        view! { <Undoing requested instance activation=switch on_close=close/> }.into_any()
}
screen! {
    /// The recorded configuration of an app server.
    configuration: configuration(instance: Memo<Arc<Instance>>, app_server: Memo<Arc<AppServer>>) =>
        view! { <ConfigurationBody instance app_server/> }.into_any()
}
screen! {
    /// The watched pull requests.
    pull_requests: pull_requests() => view! { <pages::PullRequestsPage/> }.into_any()
}
screen! {
    /// The pull request of an instance.
    pull_requests: pull_request(instance: Memo<Arc<Instance>>, before: Before) =>
        view! { <pages::PullRequestTab instance before/> }.into_any()
}
screen! {
    /// The page of the build queue.
    machines: queue() => view! { <pages::QueuePage/> }.into_any()
}
screen! {
    /// The machines.
    machines: servers() => view! { <pages::ServersPage/> }.into_any()
}
screen! {
    /// The state of the system.
    machines: system() => view! { <pages::SystemPage/> }.into_any()
}
screen! {
    /// The account of the signed-in user.
    people: account() => view! { <pages::AccountPage/> }.into_any()
}
screen! {
    /// The user accounts.
    people: users() => view! { <pages::UsersPage/> }.into_any()
}
screen! {
    /// The page of the audit trail.
    people: activity() => view! { <pages::ActivityPage/> }.into_any()
}

/// Shows a screen as soon as its code is loaded, or an error with a retry button.
pub fn show<F>(screen: impl Fn() -> F + 'static) -> AnyView
where
    F: Future<Output = Screen> + 'static,
{
    let here = RwSignal::new_local(None::<Screen>);
    let owner = Owner::current().unwrap_or_default();
    let ask = move || {
        // The screen's signals belong to the owner of this view, not to the retry button.
        let coming = owner.with(|| ScopedFuture::new_untracked(screen()));
        spawn_local(async move {
            let screen = coming.await;
            here.try_set(Some(screen));
        });
    };
    ask();
    let again = UnsyncCallback::new(move |()| ask());
    (move || {
        here.track();
        match here.try_update_untracked(Option::take).flatten() {
            None => view! { <Loading/> }.into_any(),
            Some(Ok(view)) => view,
            Some(Err(_)) => view! { <Missing again/> }.into_any(),
        }
    })
    .into_any()
}

#[component]
fn Missing(again: UnsyncCallback<()>) -> impl IntoView {
    view! {
        <section class="lone" role="alert">
            <Icon shape=Shape::Warning/>
            <h1>"This page could not be loaded"</h1>
            <p>"The server is unreachable or was updated. Try again, or reload the page."</p>
            <button class="primary" type="button" on:click=move |_| again.run(())>
                <Icon shape=Shape::Refresh/>
                "Try again"
            </button>
        </section>
    }
}
