//! Nothing is here.

use leptos::prelude::*;

use crate::paths::Page;
use crate::ui::{Icon, Shape, Title};

/// Nothing is here, and the way out.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Title text="Not found"/>
        <section class="lone">
            <Icon shape=Shape::Cube/>
            <h1>"There is nothing here"</h1>
            <p>"The address may be mistyped, or what it named is gone."</p>
            <a class="btn primary" href=Page::Home.to_string()>"Go home"</a>
        </section>
    }
}
