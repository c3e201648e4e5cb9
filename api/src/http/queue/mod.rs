//! Operations on the build queue.

mod pause;
mod read;
mod resume;

pub use pause::pause_queue;
pub use read::read_queue;
pub use resume::resume_queue;
