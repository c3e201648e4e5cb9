//! The single-page application.
//!
//! `paths` maps URLs to pages; `api` is the only module that talks to the server; `state` holds the fetched data and
//! keeps it up to date by events; `pages` are the screens; `components` know the domain; `ui` does not.
//! Rules about instances and app servers are not here: the application uses those of `shared_types`.

// Component functions are generic over the types that the view macro generates; their props are no library API.
#![allow(missing_debug_implementations)]

pub mod api;
pub mod app;
mod components;
pub mod fault;
mod pages;
mod parts;
pub mod paths;
#[cfg(test)]
mod samples;
pub mod state;
pub mod ui;
pub mod words;

#[cfg(debug_assertions)]
pub use pages::DesignPage;

/// Mounts the application in the page's body.
pub fn start() {
    fault::install();
    leptos::mount::mount_to_body(app::App);
}
