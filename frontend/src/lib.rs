//! The single-page application.
//!
//! `paths` says which URL shows what; `api` is the only place that talks to the server; `state` holds what has been
//! fetched and keeps it true by events; `pages` are the screens; `components` know the domain; `ui` knows nothing of it.
//! Rules about instances and app servers are not here: the application asks `shared_types`.

// Component functions are generic over what the view macro makes of them; their props are no API of a library.
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

/// Draws the application into the page's body.
pub fn start() {
    fault::install();
    leptos::mount::mount_to_body(app::App);
}
