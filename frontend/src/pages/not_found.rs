//! The page for unknown paths.

use leptos::prelude::*;

use crate::paths::Page;
use crate::ui::{Icon, Shape, Title};

/// Says that the page does not exist, with a link home.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <section class="lone">
            <Icon shape=Shape::Cube/>
            <h1>"Page not found"</h1>
            <p>"The link is wrong or the item was deleted."</p>
            <a class="btn primary" href=Page::Home.to_string()>"Go home"</a>
        </section>
    }
}
