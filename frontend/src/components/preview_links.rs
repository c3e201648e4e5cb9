//! Preview links of a candidate: the button, and the dialog that makes, shows and revokes them.

use leptos::prelude::*;
use shared_types::preview_link::{CreatedPreviewLink, DEFAULT_HOURS, MAX_LINKS, PreviewLink, can_preview};
use shared_types::{AppServerId, AppServerStatus, AppServerSummary, PreviewLinkId};

use super::possible::PossibleButton;
use super::sending::{Sending, Sent};
use crate::api;
use crate::parts;
use crate::state::clock;
use crate::ui::{Alert, BusyButton, CopyButton, Dialog, Icon, Shape};
use crate::words;

/// The choices for how long a link works, in hours.
const HOURS: [(i64, &str); 5] = [(1, "1 hour"), (4, "4 hours"), (24, "24 hours"), (72, "3 days"), (168, "7 days")];

/// The button that opens the dialog, while the app server runs.
#[component]
pub fn PreviewLinkButton(summary: Memo<AppServerSummary>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let runs = Memo::new(move |_| summary.with(|one| one.status == AppServerStatus::Running));
    let possible = Memo::new(move |_| summary.with(|one| can_preview(one.status, one.serving)));
    let on_close = Callback::new(move |()| is_open.set(false));
    let dialog =
        move || is_open.get().then(|| parts::show(move || parts::preview_links(summary.get_untracked(), on_close)));
    view! {
        <Show when=move || runs.get()>
            <PossibleButton
                possible
                shape=Shape::Out
                label="Preview link…"
                hint="See it under the real host names before it is activated"
                on_click=Callback::new(move |()| is_open.set(true))
            />
        </Show>
        {dialog}
    }
}

/// What the dialog shows.
#[derive(Clone, Copy)]
struct Links {
    app_server: AppServerId,
    /// None until they were read.
    all: RwSignal<Option<Vec<PreviewLink>>>,
    /// The link that was just made.
    made: RwSignal<Option<CreatedPreviewLink>>,
    sending: Sending,
}

impl Links {
    fn of(app_server: AppServerId) -> Self {
        let (all, made) = (RwSignal::new(None), RwSignal::new(None));
        Self { app_server, all, made, sending: Sending::new(None) }
    }

    fn read(self) {
        self.sending.send(api::app_servers::preview_links(self.app_server), move |sent| {
            if let Sent::Done(links) = sent {
                self.all.try_set(Some(links));
            }
        });
    }

    fn make(self, hours: i64) {
        self.sending.send(api::app_servers::create_preview_link(self.app_server, hours), move |sent| {
            if let Sent::Done(made) = sent {
                self.made.try_set(Some(made));
                self.read();
            }
        });
    }

    fn revoke(self, link: PreviewLinkId) {
        self.sending.send(api::app_servers::delete_preview_link(self.app_server, link), move |sent| {
            if let Sent::Done(()) = sent {
                self.made.try_update(|made| made.take_if(|made| made.link.id == link));
                self.read();
            }
        });
    }
}

/// Makes, shows and revokes the links. While a new link is shown, only its button closes the dialog.
#[component]
pub fn PreviewLinksDialog(target: AppServerSummary, on_close: Callback<()>) -> impl IntoView {
    let links = Links::of(target.id);
    let hours = RwSignal::new(DEFAULT_HOURS);
    links.read();
    let is_made = Memo::new(move |_| links.made.with(Option::is_some));
    let is_busy = Signal::derive(move || links.sending.is_busy.get() || is_made.get());
    let why_not = Memo::new(move |_| {
        let count = links.all.with(|all| all.as_ref().map_or(0, Vec::len));
        (count >= MAX_LINKS).then_some("It has as many links as it may have. Revoke one first.")
    });
    let make = Callback::new(move |()| links.make(hours.get_untracked()));
    let close = move |_| on_close.run(());
    view! {
        <Dialog label="Preview links" is_busy on_close>
            <header>
                <h1>"Preview links of " {target.name}</h1>
                <p>
                    "People who open a link see this app server under the real host names, also during maintenance. "
                    "Everyone else sees the active one."
                </p>
            </header>
            <div class="body">
                {move || links.made.get().map(|made| view! { <Made made/> })}
                <Present links/>
                <Show when=move || !is_made.get()>
                    <HoursField hours/>
                </Show>
                <Alert why=links.sending.why_not/>
            </div>
            <footer>
                <Show
                    when=move || is_made.get()
                    fallback=move || view! {
                        <button type="button" on:click=close>"Close"</button>
                        <BusyButton label="Make link" is_busy=links.sending.is_busy why_not on_click=make/>
                    }
                >
                    <button class="primary" type="button" on:click=close>"I have copied it"</button>
                </Show>
            </footer>
        </Dialog>
    }
}

#[component]
fn Made(made: CreatedPreviewLink) -> impl IntoView {
    let urls = made.urls.into_iter().map(|url| {
        view! {
            <div class="secret">
                <code tabindex="0" role="textbox" aria-readonly="true" aria-label="Preview link">{url.clone()}</code>
                <CopyButton text=url/>
            </div>
        }
    });
    view! {
        {urls.collect_view()}
        <div class="notice" role="note">
            <Icon shape=Shape::Warning/>
            <span>"Copy it now: you will not see it again. Anyone who has it can see this app server until the link ends."</span>
        </div>
    }
}

/// The links that work, with a button each.
#[component]
fn Present(links: Links) -> impl IntoView {
    move || match links.all.get() {
        None => view! { <p class="fine">"Reading…"</p> }.into_any(),
        Some(all) if all.is_empty() => view! { <p class="fine">"No links."</p> }.into_any(),
        Some(all) => {
            let rows = all.into_iter().map(|link| view! { <Row link links/> });
            view! { <ul class="lines" aria-label="Links that work">{rows.collect_view()}</ul> }.into_any()
        }
    }
}

#[component]
fn Row(link: PreviewLink, links: Links) -> impl IntoView {
    let now = clock::now();
    let PreviewLink { id, created_at, created_by, ends_at } = link;
    let ends = move || match ends_at - now.get() {
        left if left.num_seconds() <= 0 => "Has ended".to_owned(),
        left => format!("Ends in {}", words::span(left)),
    };
    let revoke = Callback::new(move |()| links.revoke(id));
    view! {
        <li>
            <div class="grow">
                <div class="did"><b title=words::exact(ends_at, &chrono::Local)>{ends}</b></div>
                <div class="fine">"Made by " <bdi>{created_by}</bdi> " " {move || words::ago(created_at, now.get())}</div>
            </div>
            <PossibleButton shape=Shape::Trash label="Revoke" is_busy=links.sending.is_busy on_click=revoke/>
        </li>
    }
}

#[component]
fn HoursField(hours: RwSignal<i64>) -> impl IntoView {
    let options = HOURS.map(|(number, words)| {
        view! { <option value=number.to_string() selected=move || hours.get() == number>{words}</option> }
    });
    view! {
        <div class="field">
            <label for="preview-hours">"A new link works for"</label>
            <div>
                <select
                    id="preview-hours"
                    on:change=move |event| hours.set(event_target_value(&event).parse().unwrap_or(DEFAULT_HOURS))
                >
                    {options.into_iter().collect_view()}
                </select>
            </div>
        </div>
    }
}
