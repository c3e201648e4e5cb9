//! Launching an app server: the icon spins from the click until the new one is in the list.

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use shared_types::launch::LaunchAppServer;
use shared_types::{AppServerId, Instance, InstanceId};
use std::sync::Arc;

use crate::api;
use crate::paths;
use crate::state::data::Key;
use crate::state::{State, state};
use crate::ui::{Icon, Shape};

/// A launch of an instance, shared by all its buttons.
#[derive(Clone, Copy)]
pub struct Launch {
    id: InstanceId,
    state: State,
    is_under_way: RwSignal<bool>,
    awaited: RwSignal<Option<AppServerId>>,
}

impl Launch {
    /// For one instance; shows the new app server once it is listed.
    pub fn new(id: InstanceId, instance: Memo<Arc<Instance>>) -> Self {
        let launch = Self { id, state: state(), is_under_way: RwSignal::new(false), awaited: RwSignal::new(None) };
        let navigate = use_navigate();
        Effect::new(move || {
            let Some(awaited) = launch.awaited.get() else { return };
            if instance.with(|instance| instance.appservers.iter().any(|one| one.id == awaited)) {
                launch.awaited.set(None);
                launch.is_under_way.set(false);
                let (navigate, to) = (navigate.clone(), paths::app_server(id, awaited));
                request_animation_frame(move || navigate(&to, Default::default()));
            }
        });
        launch
    }

    fn start(self) {
        if self.is_under_way.get_untracked() {
            return;
        }
        self.is_under_way.set(true);
        spawn_local(async move {
            match api::instances::launch(self.id, &LaunchAppServer::default()).await {
                Ok(app_server) => {
                    self.awaited.try_set(Some(app_server.summary.id));
                    self.state.data.refresh(Key::Instance(self.id));
                }
                Err(error) => {
                    self.is_under_way.try_set(false);
                    self.state.failed("Launching failed", &error);
                }
            }
        });
    }
}

/// «Launch new AppServer».
#[component]
pub fn LaunchButton(
    /// What it starts.
    launch: Launch,
    /// Whether it is the main thing to do.
    #[prop(optional)]
    is_primary: bool,
) -> impl IntoView {
    let is_busy = launch.is_under_way;
    let icon = move || if is_busy.get() { Shape::Refresh } else { Shape::Plus };
    view! {
        <button
            type="button"
            class:primary=is_primary
            disabled=move || is_busy.get()
            aria-busy=move || is_busy.get().to_string()
            on:click=move |_| launch.start()
        >
            {move || view! { <Icon shape=icon() is_spinning=is_busy/> }}
            "Launch new AppServer"
        </button>
    }
}
