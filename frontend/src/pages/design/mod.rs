//! All small components together, to see what a change of one does to the others. Only in debug builds, at `/design`:
//! the production download does not contain it.

mod backups;
mod controls;
mod migrations;
mod states;
mod texts;
mod tokens;

use leptos::prelude::*;

use crate::ui::Title;

#[component]
pub fn DesignPage() -> impl IntoView {
    view! {
        <Title text="Design"/>
        <div class="page">
            <div class="head"><h1>"Design"</h1></div>
            <div class="below-head stack">
                {section("Colours", tokens::colours())}
                {section("Sizes", tokens::sizes())}
                {section("Icons", controls::icons())}
                {section("Buttons", controls::buttons())}
                {section("Fields", controls::fields())}
                {section("Dialog", controls::dialog())}
                {section("Labels", states::labels())}
                {section("Marks", states::marks())}
                {section("Progress", states::progress())}
                {section("Notices", states::notices())}
                {section("Editor", texts::editor())}
                {section("Differences", texts::differences())}
                {section("Log", texts::log())}
                {section("Backups", backups::cards())}
                {section("Migrations: launch", migrations::launches())}
                {section("Migrations: notices", migrations::notices())}
                {section("Migrations: rollback", migrations::rollbacks())}
            </div>
        </div>
    }
}

fn section(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="card" aria-label=title>
            <header><h2>{title}</h2></header>
            <div class="body">{content}</div>
        </section>
    }
    .into_any()
}

/// The items side by side, wrapped where needed.
fn row(items: Vec<AnyView>) -> AnyView {
    view! {
        <div style:display="flex" style:flex-wrap="wrap" style:align-items="center" style:gap="var(--s-3)">
            {items}
        </div>
    }
    .into_any()
}

/// An item with its name below.
fn named(name: &str, content: AnyView) -> AnyView {
    view! {
        <figure style:margin="0" style:min-width="88px">
            {content}
            <figcaption class="fine">{name.to_owned()}</figcaption>
        </figure>
    }
    .into_any()
}
