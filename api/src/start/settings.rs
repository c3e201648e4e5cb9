//! The settings of the program and of its application types.

use super::StartError;
use crate::applications;
use crate::config::{Settings, page};

/// Reads all settings from the file that OCIM_CONFIG names and from the environment.
///
/// # Errors
/// An error that names the invalid setting.
pub fn settings() -> Result<Settings, StartError> {
    Ok(Settings::load(&applications::settings())?)
}

/// docs/settings.md, as the declarations say.
pub fn settings_page() -> String {
    page::markdown(&applications::settings())
}

/// The list of settings in the command line's help.
pub fn settings_list() -> String {
    page::list(&applications::settings())
}
