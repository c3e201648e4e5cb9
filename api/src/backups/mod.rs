//! Copies of databases outside machines: written, checked and read by the dump programs of their servers, compressed and encrypted
//! on the way. Independent of instances and of ocim's own database.
//!
//! Not here: which databases an instance has, who may ask for a backup, when one is due and how many are kept
//! (`instances::backups`).

pub mod fake;
pub mod files;
pub mod port;
mod programs;

pub use files::Files;
pub use port::{BackupError, Backups, Piece, Source};
