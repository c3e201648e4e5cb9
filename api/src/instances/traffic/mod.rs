//! Where an instance's visitors are sent: activation, rollback, hold, and what the gateway is told.

pub mod activate;
pub mod after_hooks;
pub mod apply_routing;
pub mod authority_answers;
pub mod drain;
pub mod hold;
pub mod maintenance;
pub mod migration_page;
pub mod rollback;
pub mod served_certificates;
pub mod switch;
pub mod when_running;
