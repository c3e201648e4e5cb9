//! The frame of every page behind the login: bar, list, page.

use chrono::Local;
use leptos::html;
use leptos::prelude::*;

use super::instance_list::InstanceList;
use super::keys::Keys;
use super::quick_search::QuickSearch;
use super::sandbox_banner::SandboxBanner;
use super::top_bar::TopBar;
use super::watch_banner::WatchBanner;
use crate::pages::{Home, InstancePage, NotFound};
use crate::parts;
use crate::paths::Page;
use crate::state::data::Counts;
use crate::state::live::Link;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape, alarm_in_title};
use crate::words;
use shared_types::InstanceId;

/// How long the connection must be lost before the banner appears.
const PATIENCE_S: i64 = 4;

/// What the right side shows; the tabs of an instance are one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    Home,
    Instances,
    Queue,
    Servers,
    PullRequests,
    Activity,
    Account,
    Users,
    System,
    #[cfg(debug_assertions)]
    Design,
    NewInstance,
    Instance(InstanceId),
    NotFound,
}

impl Right {
    const fn of(page: Page) -> Self {
        match page {
            Page::Home | Page::Login => Self::Home,
            Page::Instances => Self::Instances,
            Page::Queue => Self::Queue,
            Page::Servers => Self::Servers,
            Page::PullRequests => Self::PullRequests,
            Page::Activity => Self::Activity,
            Page::Account => Self::Account,
            Page::Users => Self::Users,
            Page::System => Self::System,
            #[cfg(debug_assertions)]
            Page::Design => Self::Design,
            Page::NewInstance => Self::NewInstance,
            Page::Instance(id, _) => Self::Instance(id),
            Page::Unknown => Self::NotFound,
        }
    }
}

/// The frame of the signed-in application.
#[component]
pub fn Shell() -> impl IntoView {
    let page = expect_context::<Memo<Page>>();
    let right = Memo::new(move |_| Right::of(page.get()));
    let is_searching = RwSignal::new(false);
    let shows_keys = RwSignal::new(false);
    let main = NodeRef::<html::Main>::new();
    begin_at_the_top(right, main);
    let counts = state().data.counts();
    alarm_in_title(move || counts.with(Counts::alarm));
    // While the server is unreachable, the shown data may be hours old.
    let is_stale = is_offline();
    view! {
        <div class="shell" class:on-list=move || right.get() == Right::Instances class:stale=is_stale>
            <a class="skip" href="#main" rel="external">"Skip to content"</a>
            <TopBar is_searching shows_keys/>
            <SandboxBanner/>
            <InstanceList/>
            <main class="main" id="main" tabindex="-1" node_ref=main>
                <WatchBanner/>
                {move || match right.get() {
                    Right::Home | Right::Instances => view! { <Home/> }.into_any(),
                    Right::Queue => parts::show(parts::queue),
                    Right::Servers => parts::show(parts::servers),
                    Right::PullRequests => parts::show(parts::pull_requests),
                    Right::Activity => parts::show(parts::activity),
                    Right::Account => parts::show(parts::account),
                    Right::Users => parts::show(parts::users),
                    Right::System => parts::show(parts::system),
                    Right::NewInstance => parts::show(parts::new_instance),
                    #[cfg(debug_assertions)]
                    Right::Design => view! { <crate::pages::DesignPage/> }.into_any(),
                    Right::Instance(id) => view! { <InstancePage id/> }.into_any(),
                    Right::NotFound => view! { <NotFound/> }.into_any(),
                }}
            </main>
        </div>
        <QuickSearch is_open=is_searching/>
        <Keys is_open=shows_keys/>
    }
}

/// Scrolls a new page to its top. If the focused element is gone with the previous page, focuses the new page, so that
/// keyboard and screen reader continue from there.
fn begin_at_the_top(right: Memo<Right>, main: NodeRef<html::Main>) {
    Effect::new(move |before: Option<Right>| {
        let right = right.get();
        if before.is_some_and(|before| before != right) {
            request_animation_frame(move || {
                let Some(main) = main.try_get_untracked().flatten() else { return };
                main.set_scroll_top(0);
                let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
                if is_lost {
                    // Fails only for elements that cannot have the focus.
                    let _ = main.focus();
                }
            });
        }
        right
    });
}

/// Whether the server has been unreachable for some seconds.
pub(super) fn is_offline() -> Memo<bool> {
    let link = state().live.link();
    let now = clock::now();
    Memo::new(move |_| match link.get() {
        Link::Lost(since) => (now.get() - since).num_seconds() >= PATIENCE_S,
        Link::Connecting | Link::Live => false,
    })
}

/// Shown when the server has been unreachable for some seconds.
#[component]
pub fn OfflineBanner() -> impl IntoView {
    let is_offline = is_offline();
    let (link, now) = (state().live.link(), clock::now());
    let words = move || match link.get() {
        Link::Lost(since) => {
            let since = words::clock_in_zone(since, now.get(), &Local);
            format!("The server has not answered since {since}. This page may be out of date. Reconnecting…")
        }
        Link::Connecting | Link::Live => String::new(),
    };
    view! {
        <Show when=move || is_offline.get()>
            <div class="offline" role="alert">
                <Icon shape=Shape::Warning/>
                <span>{words}</span>
            </div>
        </Show>
    }
}
