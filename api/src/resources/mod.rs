//! What an instance has outside its machines: accounts, databases and buckets at servers, made once for its life. Independent of
//! what uses them.
//!
//! Names and passwords are decided, and stored, before a server is first asked. So a request whose answer was lost is repeated
//! under the same name, and a name that exists before the first request belongs to others: it is never touched. What was
//! confirmed is only looked for afterwards. If it has vanished, that is reported; an empty one in its place would hide the loss.
//!
//! Not here: which resources an application needs (`instances::application`), who may ask for them, and when they end.

pub mod compare;
pub mod connection;
mod error;
mod make;
pub mod names;
pub mod numbers;
pub mod objects;
pub mod password;
pub mod providers;
pub mod registry;
mod remove;
pub mod server;
pub mod store;
mod tend;
pub mod tls;
mod works;

pub use error::ResourceError;
pub use works::Works;
