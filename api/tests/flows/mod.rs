//! Stories that take more than one operation: every step of a build is failed on purpose, and repeated on purpose.

mod activating;
mod failing;
mod log_writing;
mod machines;
mod mail;
mod queries;
mod routing;
mod secrets;
mod serving;
mod slots;
mod steps_queries;
mod taking_over;
