//! How to log in to machines is told to those who may.

use shared_types::Server;
use shared_types::ssh_access::LOGIN_ROLE;

use crate::platform::users::Principal;

/// Leaves out how to log in to a machine if the caller may not.
pub fn hide(who: &Principal, server: &mut Server) {
    if who.role < LOGIN_ROLE {
        server.ssh = None;
    }
}
