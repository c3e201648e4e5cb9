//! Stories that take more than one operation: every step of a build is failed on purpose, and repeated on purpose.

mod activating;
mod archiving;
mod crashing;
mod failing;
mod histories;
mod machines;
mod queries;
mod queueing;
mod retrying;
mod routing;
mod serving;
mod stopping;
mod taking_over;
