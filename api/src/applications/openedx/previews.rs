//! Instances that preview a pull request against edx-platform.

use shared_types::applications::openedx::{PREVIEW_CHOICES, TYPE, unrouted};

use super::code;
use crate::instances::previews::Previews;

/// A pull request's variables are extra settings, and its commit is that of edx-platform.
pub static PREVIEWS: Previews = Previews {
    schema: &TYPE.schema,
    address: "sub_domain",
    source: code::settings,
    version_of: code::version_of,
    variables: "configuration_extra_settings",
    ephemeral_databases: "use_ephemeral_databases",
    choices: &PREVIEW_CHOICES,
    decides_code: code::decides,
    advice: unrouted,
};
