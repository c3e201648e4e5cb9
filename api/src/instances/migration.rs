//! The maintenance page of builds that migrate databases. Of pages, only the one that this program has put up is taken down by it.

use crate::instances::store::instances::InstanceRow;
use crate::platform::origin::Actor;

/// What visitors read while a build migrates the databases.
pub const PAGE: &str = "The site is being upgraded. Please come back in a while.";

/// Whether the page of an instance is the one that a build has put up, and nothing was changed about it since.
pub(super) fn has_page(row: &InstanceRow) -> bool {
    row.maintenance_by.as_deref() == Some(Actor::Migration.to_string().as_str())
        && row.maintenance_text.as_deref() == Some(PAGE)
}
