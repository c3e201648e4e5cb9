//! Stories that take more than one operation: every step of a build is failed on purpose, and repeated on purpose.

mod activating;
mod clearing;
mod failing;
mod housekeeping;
mod machines;
mod queries;
mod reaping;
mod retaining;
mod room;
mod routing;
mod serving;
mod slots;
mod taking_over;
