//! The system: whether its parts answer, what stands between it and foreign code, and which settings open a wall.

mod gateways;
mod lines_card;
mod look;
mod overview;
mod parts;
mod providers;
mod repositories;
mod resource_servers;
mod sandbox;
mod walls;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use shared_types::system::SystemState;

use super::when_here;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::Title;
use crate::words;
use gateways::GatewaysCard;
use overview::Overview;
use parts::PartsCard;
use providers::ProvidersCard;
use repositories::RepositoriesCard;
use resource_servers::ResourceServersCard;
use sandbox::{MachinesCard, SandboxCard};
use walls::WallsCard;

/// How often the state is fetched while the page is open. The server caches its answer for about as long.
const LOOK: Duration = Duration::from_secs(10);

#[component]
pub fn SystemPage() -> impl IntoView {
    let data = state().data;
    let system = data.system();
    data.poll_every(Key::System, LOOK);
    let program =
        Memo::new(move |_| system.with(|system| system.here().map(|system| (system.version.clone(), system.started))));
    view! {
        <Title text="System"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"System"</h1>
                    <div class="links">
                        {move || program.get().map(|(version, started)| view! { <Program version started/> })}
                    </div>
                </div>
            </div>
            <div class="below-head">{when_here(system, |system| view! { <Whole system/> }.into_any())}</div>
        </div>
    }
}

/// The version of the program, and how long it has been running.
#[component]
fn Program(version: String, started: DateTime<Utc>) -> impl IntoView {
    let now = clock::now();
    view! {
        <span>"Version " {version}</span>
        <span>"Started " {move || words::clock_in_zone(started, now.get(), &Local)}</span>
        <span>"Up " {move || words::span_closely(now.get() - started)}</span>
    }
}

#[component]
fn Whole(system: Memo<Arc<SystemState>>) -> impl IntoView {
    view! {
        <Overview system/>
        <div class="stack">
            <PartsCard system/>
            <GatewaysCard system/>
            <ProvidersCard system/>
            <ResourceServersCard system/>
            <SandboxCard system/>
            <MachinesCard system/>
            <WallsCard system/>
            <RepositoriesCard/>
        </div>
    }
}
