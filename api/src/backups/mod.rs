//! Copies of databases and buckets outside machines, compressed and encrypted: databases are written and read by the dump programs of
//! their servers, and of buckets only what has changed is copied. Independent of instances and of ocim's own database.
//!
//! Not here: what an instance has, who may ask for a backup, when one is due and how many are kept
//! (`instances::backups`).

pub mod fake;
pub mod files;
pub mod port;
mod programs;

pub use files::Files;
pub use port::{BackupError, Backups, Bucket, Copied, Piece, Source};
