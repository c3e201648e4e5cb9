//! What foreign code tries behind the wall of a run, and what it gets without one.

mod attempts;
mod checking_out;
mod exhausting;
mod installing;
mod output;
mod playing;
mod plugins;
mod pull_request;
mod world;
