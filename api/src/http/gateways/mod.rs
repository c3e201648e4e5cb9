//! Gateways with an agent: what operators see of them and change, and what their agents ask.

mod add;
mod certificates;
mod exchange;
mod list;
mod remove;
mod token_renew;

pub use add::add_gateway;
pub use certificates::give_certificates_to_gateway;
pub use exchange::exchange_with_gateway;
pub use list::list_gateways;
pub use remove::remove_gateway;
pub use token_renew::renew_gateway_token;
