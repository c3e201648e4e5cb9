//! Something is here, and it is not for whoever asks.

use leptos::prelude::*;

use crate::paths::Page;
use crate::ui::{Icon, Shape, Title};

/// It is not permitted, why, and the way out.
#[component]
pub fn NotPermitted(
    /// What it would need.
    #[prop(into)]
    why: String,
) -> impl IntoView {
    view! {
        <Title text="Not permitted"/>
        <section class="lone">
            <Icon shape=Shape::Lock/>
            <h1>"This is not for you to see"</h1>
            <p>{why} " An administrator can give you another role."</p>
            <a class="btn primary" href=Page::Home.to_string()>"Go home"</a>
        </section>
    }
}
