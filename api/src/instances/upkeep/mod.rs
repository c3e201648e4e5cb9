//! What no request asks for: orphaned machines, retention, left run directories, messages, and the archive.

pub mod archive;
pub mod courier;
pub mod reaper;
pub mod retention;
pub mod runs;
