//! What an instance has outside its machines: decided at launch, shown, entered by operators, given back by a purge. The work
//! at the servers is done by [`crate::resources`].

pub mod choose;
pub mod contents;
pub mod credentials;
mod given;
pub(super) mod plan;
pub mod purge;
pub mod rotate;
pub mod view;
