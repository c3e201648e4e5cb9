//! The page for users without the needed role.

use leptos::prelude::*;

use crate::paths::Page;
use crate::ui::{Icon, Shape, Title};

/// Says that it is not permitted, why, and links home.
#[component]
pub fn NotPermitted(
    /// The role that would be needed.
    #[prop(into)]
    why: String,
) -> impl IntoView {
    view! {
        <Title text="Not permitted"/>
        <section class="lone">
            <Icon shape=Shape::Lock/>
            <h1>"You do not have access"</h1>
            <p>{why} " An administrator can give you another role."</p>
            <a class="btn primary" href=Page::Home.to_string()>"Go home"</a>
        </section>
    }
}
