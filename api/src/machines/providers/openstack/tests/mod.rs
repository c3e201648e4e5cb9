//! The provider against recorded answers of an OpenStack cloud (Zed), one test for each quirk. `api/tests/system/openstack`
//! runs it against a real control plane.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod choosing;
mod cloud;
mod creating;
mod credentials;
mod deleting;
mod endpoints;
mod floating;
mod http;
mod listing;
mod object_storage;
mod polling;
mod rebooting;
mod tokens;
mod trouble;
