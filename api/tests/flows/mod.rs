//! Stories that take more than one operation: every step of a build is failed on purpose, and repeated on purpose.

mod activating;
mod automating;
mod draining;
mod failing;
mod machines;
mod queries;
mod routing;
mod serving;
mod slots;
mod taking_over;
