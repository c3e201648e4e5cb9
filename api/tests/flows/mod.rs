//! Stories that take more than one operation: every step of a build is failed on purpose, and repeated on purpose.

mod activating;
mod archiving;
mod automating;
mod clearing;
mod crashing;
mod draining;
mod failing;
mod histories;
mod housekeeping;
mod log_writing;
mod machines;
mod mail;
mod queries;
mod queueing;
mod reaping;
mod reconnecting;
mod retaining;
mod retrying;
mod room;
mod routing;
mod secrets;
mod serving;
mod steps_queries;
mod stopping;
mod taking_over;
mod vault;
