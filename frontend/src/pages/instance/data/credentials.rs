//! The credentials of an instance's account, for administrators. They are fetched on request, and each request is recorded.

use leptos::prelude::*;
use shared_types::resource::ResourceCredentials;
use shared_types::{InstanceId, ResourceKind};

use crate::api;
use crate::components::{CopyButton, Sending, Sent};
use crate::ui::{Alert, BusyButton, Dialog};
use crate::words;

#[component]
pub(super) fn CredentialsDialog(id: InstanceId, kind: ResourceKind, on_close: Callback<()>) -> impl IntoView {
    let (sending, shown) = (Sending::new(None), RwSignal::new(None::<ResourceCredentials>));
    let is_busy = sending.is_busy;
    let show = move |()| {
        sending.send(api::resources::credentials(id, kind), move |sent| {
            if let Sent::Done(credentials) = sent {
                shown.try_set(Some(credentials));
            } else {
                on_close.run(());
            }
        });
    };
    let title = format!("Credentials of {}", kind.name());
    let words = "Anyone who has them can read and change this instance's data. Each time they are shown is recorded in Activity.";
    let is_shown = Memo::new(move |_| shown.with(Option::is_some));
    view! {
        <Dialog label=title.clone() is_busy on_close>
            <header>
                <h1>{title}</h1>
                <p>{words}</p>
            </header>
            <div class="body">
                {move || shown.get().map(|credentials| view! { <Facts credentials/> })}
                <Alert why=sending.why_not/>
            </div>
            <footer>
                <button type="button" on:click=move |_| on_close.run(())>
                    {move || if is_shown.get() { "Close" } else { "Cancel" }}
                </button>
                <Show when=move || !is_shown.get()>
                    <BusyButton label="Show credentials" is_busy on_click=show/>
                </Show>
            </footer>
        </Dialog>
    }
}

#[component]
fn Facts(credentials: ResourceCredentials) -> impl IntoView {
    let ResourceCredentials { kind, host, port, username, password, has_tls, databases, options } = credentials;
    let unit = words::capital(kind.unit()).unwrap_or_default();
    let pairs = databases.into_iter().map(|(name, at)| (format!("{unit} {name}"), at)).chain(options);
    let more = pairs.map(|(name, value)| view! { <dt>{name}</dt> <dd class="mono">{value}</dd> }).collect_view();
    view! {
        <dl>
            <dt>"Host"</dt>
            <dd class="mono">{host} ":" {port.to_string()}</dd>
            <dt>"TLS"</dt>
            <dd>{if has_tls { "required" } else { "off" }}</dd>
            <dt>"User"</dt>
            <dd class="mono">{username}</dd>
            <dt>"Password"</dt>
            <dd>
                <div class="secret">
                    <code tabindex="0" role="textbox" aria-readonly="true" aria-label="Password">{password.clone()}</code>
                    <CopyButton text=password/>
                </div>
            </dd>
            {more}
        </dl>
    }
}
