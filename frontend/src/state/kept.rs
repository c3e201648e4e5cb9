//! What the browser keeps of somebody's choices. Where it keeps nothing, a choice holds until the page is left.

use leptos::prelude::window;

/// What was kept under a name.
pub fn read(name: &str) -> Option<String> {
    storage()?.get_item(name).ok().flatten()
}

/// Keeps a word under a name.
pub fn write(name: &str, word: &str) {
    drop(storage().map(|storage| storage.set_item(name, word)));
}

/// Keeps nothing under a name any more.
pub fn remove(name: &str) {
    drop(storage().map(|storage| storage.remove_item(name)));
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
