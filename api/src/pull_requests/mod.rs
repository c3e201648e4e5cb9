//! Pull requests: what their bodies ask for.

pub mod settings_block;
