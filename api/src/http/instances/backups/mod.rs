//! Operations on backups of what an instance has outside its machines.

mod create;
mod delete;
mod list;
mod restore;
mod verify;

pub use create::create_backup;
pub use delete::delete_backup;
pub use list::list_backups;
pub use restore::restore_backup;
pub use verify::verify_backup;
