//! Work that no request starts: orphaned machines, retention, leftover run directories, the shared SSH key, messages; and the archive.

pub mod archive;
mod compare;
pub mod courier;
pub mod reaper;
pub mod retention;
pub mod runs;
pub mod shared_key;
mod sight;
