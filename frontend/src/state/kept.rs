//! A user's preferences in the browser's storage. Without storage, a preference lasts until the page is left.

use leptos::prelude::window;

/// The stored value of a preference.
pub fn read(name: &str) -> Option<String> {
    storage()?.get_item(name).ok().flatten()
}

pub fn write(name: &str, word: &str) {
    drop(storage().map(|storage| storage.set_item(name, word)));
}

pub fn remove(name: &str) {
    drop(storage().map(|storage| storage.remove_item(name)));
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
