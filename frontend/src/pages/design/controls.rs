//! Buttons and form controls.

use leptos::prelude::*;
use shared_types::app_server::Possible;

use super::{named, row};
use crate::components::{CopyButton, PossibleButton, Refused, ShowPasswords, TextField, password_kind};
use crate::ui::{Dialog, Icon, Loading, Shape};

pub(super) fn icons() -> AnyView {
    row(Shape::ALL
        .iter()
        .map(|shape| named(&format!("{shape:?}"), view! { <Icon shape=*shape/> }.into_any()))
        .collect())
}

pub(super) fn buttons() -> AnyView {
    let plain = ["", "primary", "danger", "quiet"].map(|class| {
        let words = if class.is_empty() { "plain" } else { class };
        view! { <button type="button" class=class>{words}</button> }.into_any()
    });
    let impossible = Signal::stored(Possible::No("Why it cannot be pressed"));
    let (pressed, nothing) = (Signal::stored(true), Callback::new(|()| ()));
    let others = [
        view! { <button type="button" disabled=true>"disabled"</button> }.into_any(),
        view! { <PossibleButton shape=Shape::Play label="possible" class="primary" on_click=nothing/> }.into_any(),
        view! { <PossibleButton possible=impossible shape=Shape::Play label="refused" on_click=nothing/> }.into_any(),
        view! { <PossibleButton is_busy=true shape=Shape::Play label="busy" on_click=nothing/> }.into_any(),
        view! { <PossibleButton is_pressed=pressed shape=Shape::Pin label="pressed" on_click=nothing/> }.into_any(),
        view! { <CopyButton text="Copied from the design page"/> }.into_any(),
        view! { <CopyButton text="Copied from the design page" is_small=true/> }.into_any(),
        view! { <a class="btn" href="#main" rel="external">"a link"</a> }.into_any(),
        view! { <kbd>"Ctrl K"</kbd> <Loading/> }.into_any(),
    ];
    row(plain.into_iter().chain(others).collect())
}

pub(super) fn fields() -> AnyView {
    let (typed, password, are_shown) =
        (RwSignal::new("astro".to_owned()), RwSignal::new("a secret".to_owned()), RwSignal::new(false));
    let refused = Refused::default();
    refused.say("design_refused", "Must be lower case.");
    view! {
        <TextField name="design_typed" label="Subdomain" help="Name" max=50 typed refused/>
        <TextField name="design_refused" label="Refused" help="What the server said is below" max=50 typed refused/>
        <TextField name="design_password" label="Password" kind=password_kind(are_shown) max=50 typed=password refused/>
        <ShowPasswords are_shown/>
        <select aria-label="A choice"><option>"Name"</option><option>"Created"</option></select>
    }
    .into_any()
}

pub(super) fn dialog() -> AnyView {
    let is_open = RwSignal::new(false);
    let close = Callback::new(move |()| is_open.set(false));
    view! {
        <button type="button" on:click=move |_| is_open.set(true)>"Open the dialog"</button>
        <Show when=move || is_open.get()>
            <Dialog label="Terminate AppServer 1?" on_close=close>
                <header><h1>"Terminate AppServer 1?"</h1><p>"What will happen, and what stays."</p></header>
                <div class="body"><div role="alert" class="why">"Why it was refused"</div></div>
                <footer>
                    <button type="button" on:click=move |_| close.run(())>"Cancel"</button>
                    <button type="button" class="danger" on:click=move |_| close.run(())>"Terminate AppServer 1"</button>
                </footer>
            </Dialog>
        </Show>
    }
    .into_any()
}
