//! Launching an app server: the icon spins from the click until the new one is in the list. A launch that migrates databases asks before.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::Possible;
use shared_types::instance_copy::InstanceCopy;
use shared_types::launch::{LaunchAppServer, MAX_ATTEMPTS};
use shared_types::migration::NextMigration;
use shared_types::settings::check_number;
use shared_types::{AppServerId, Instance, InstanceId, Role};
use std::sync::Arc;

use super::ask_dialog::ReasonField;
use super::copy::CopyNote;
use super::migration::NextMigrationWords;
use super::possible::PossibleButton;
use crate::api;
use crate::paths;
use crate::state::data::Key;
use crate::state::{About, State, state};
use crate::ui::{BusyButton, Dialog, Icon, Shape, use_navigate};
use crate::words;

/// The launch state of an instance, shared by all its launch buttons.
#[derive(Clone, Copy)]
pub struct Launch {
    id: InstanceId,
    state: State,
    /// Whether the instance can have app servers: not while it is archived.
    is_possible: Memo<bool>,
    /// Whether one can be launched now, and if not, why.
    possible: Memo<Possible>,
    /// What it would change in the databases outside the machines.
    migration: Memo<Option<NextMigration>>,
    /// The other instance's data that it holds.
    copy: Memo<Option<InstanceCopy>>,
    is_under_way: RwSignal<bool>,
    awaited: RwSignal<Option<AppServerId>>,
}

impl Launch {
    /// For one instance; goes to the new app server once it is listed.
    pub fn new(id: InstanceId, instance: Memo<Arc<Instance>>) -> Self {
        let is_possible = Memo::new(move |_| instance.with(|instance| instance.summary.archived_at.is_none()));
        let possible = Memo::new(move |_| instance.with(|instance| instance.can_launch()));
        let migration = Memo::new(move |_| instance.with(|instance| instance.next_migration.clone()));
        let copy = Memo::new(move |_| instance.with(|instance| instance.copy.clone()));
        let (is_under_way, awaited) = (RwSignal::new(false), RwSignal::new(None));
        let launch = Self { id, state: state(), is_possible, possible, migration, copy, is_under_way, awaited };
        let navigate = use_navigate();
        Effect::new(move || {
            let Some(awaited) = launch.awaited.get() else { return };
            if instance.with(|instance| instance.appservers.iter().any(|one| one.id == awaited)) {
                launch.awaited.set(None);
                launch.is_under_way.set(false);
                let (navigate, to) = (navigate, paths::app_server(id, awaited));
                request_animation_frame(move || navigate(&to, Default::default()));
            }
        });
        launch
    }

    /// Whether the instance can have app servers: not while it is archived.
    pub fn is_possible(self) -> bool {
        self.is_possible.get()
    }

    fn start(self, options: LaunchAppServer) {
        if self.is_under_way.get_untracked() {
            return;
        }
        self.is_under_way.set(true);
        spawn_local(async move {
            match api::instances::launch(self.id, &options).await {
                Ok(app_server) => {
                    self.state.toasts.drop_about(self.id);
                    self.awaited.try_set(Some(app_server.summary.id));
                    self.state.data.refresh(Key::Instance(self.id));
                }
                Err(error) => {
                    self.is_under_way.try_set(false);
                    self.state.failed_about(About::Instance(self.id), "Launching failed", &error);
                }
            }
        });
    }
}

/// The button “Launch new AppServer”.
#[component]
pub fn LaunchButton(
    launch: Launch,
    /// Whether it is the primary button.
    #[prop(optional)]
    is_primary: bool,
) -> impl IntoView {
    let class = if is_primary { "primary" } else { "" };
    let is_asked = RwSignal::new(false);
    let on_click = Callback::new(move |()| match launch.migration.with_untracked(Option::is_some) {
        true => is_asked.set(true),
        false => launch.start(LaunchAppServer::default()),
    });
    let on_close = Callback::new(move |()| is_asked.set(false));
    let asked = move || launch.migration.get_untracked().filter(|_| is_asked.get());
    view! {
        <Show when=move || launch.is_possible()>
            <PossibleButton
                possible=launch.possible
                shape=Shape::Plus
                label="Launch new AppServer"
                class
                is_busy=launch.is_under_way
                on_click
            />
        </Show>
        {move || asked().map(|next| view! { <MigratingLaunch launch next on_close/> })}
    }
}

/// Asks before a launch that migrates databases.
#[component]
fn MigratingLaunch(launch: Launch, next: NextMigration, on_close: Callback<()>) -> impl IntoView {
    let (without_page, activates) = (RwSignal::new(false), RwSignal::new(false));
    let confirm = Callback::new(move |()| {
        launch.start(LaunchAppServer {
            activate_when_running: activates.get_untracked(),
            migrate_without_page: without_page.get_untracked(),
            ..LaunchAppServer::default()
        });
        on_close.run(());
    });
    view! {
        <Dialog label="Launch new AppServer?" is_busy=launch.is_under_way on_close>
            <header>
                <h1>"Launch new AppServer?"</h1>
            </header>
            <div class="body">
                <NextMigrationWords next without_page/>
                <CopyNote copy=launch.copy/>
                <label class="check">
                    <input
                        type="checkbox"
                        prop:checked=activates
                        on:change=move |event| activates.set(event_target_checked(&event))
                    />
                    "Activate automatically when ready"
                </label>
            </div>
            <footer>
                <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
                <BusyButton label="Launch" is_busy=launch.is_under_way on_click=confirm/>
            </footer>
        </Dialog>
    }
}

/// The options of a launch: collapsed, as most launches need none.
#[component]
pub fn LaunchOptions(
    /// The launch that the options are for.
    launch: Launch,
) -> impl IntoView {
    let (attempts, activates, reason) =
        (RwSignal::new("1".to_owned()), RwSignal::new(false), RwSignal::new(String::new()));
    let without_page = RwSignal::new(false);
    let is_open = RwSignal::new(false);
    let state = launch.state;
    let error = Memo::new(move |_| attempts.with(|typed| check_number(typed, 1, MAX_ATTEMPTS).err()));
    let is_busy = launch.is_under_way;
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Ok(num_attempts) = attempts.with_untracked(|typed| check_number(typed, 1, MAX_ATTEMPTS)) else { return };
        let reason = words::reason(&reason.get_untracked());
        launch.start(LaunchAppServer {
            num_attempts,
            activate_when_running: activates.get_untracked(),
            migrate_without_page: without_page.get_untracked(),
            reason,
        });
        is_open.set(false);
    };
    view! {
        <details
            class="more options"
            hidden=move || !launch.is_possible() || launch.possible.get() != Possible::Yes || state.session.may(Role::Operator) != Possible::Yes
            prop:open=is_open
            on:toggle=move |event| is_open.set(event_target::<web_sys::Element>(&event).has_attribute("open"))
        >
            <summary>
                <Icon shape=Shape::Chevron/>
                "Launch options"
            </summary>
            <form on:submit=submit aria-label="Launch with options" novalidate>
                <label class="ask">
                    "Attempts"
                    <input
                        type="number"
                        min="1"
                        max=MAX_ATTEMPTS.to_string()
                        aria-invalid=move || error.get().is_some().then_some("true")
                        bind:value=attempts
                    />
                    <span class="why" aria-live="polite">{error}</span>
                </label>
                <label class="check">
                    <input type="checkbox" prop:checked=activates on:change=move |event| activates.set(event_target_checked(&event))/>
                    "Activate automatically when ready"
                </label>
                {move || launch.migration.get().map(|next| view! { <NextMigrationWords next without_page/> })}
                <CopyNote copy=launch.copy/>
                <ReasonField reason/>
                <button type="submit" aria-busy=move || is_busy.get().to_string() disabled=move || is_busy.get()>
                    "Launch"
                </button>
            </form>
        </details>
    }
}
