//! The screens.

mod home;
mod instance;
mod login;
mod new_instance;
mod not_found;
mod pull_requests;
mod queue;
mod servers;
mod when_here;

pub use home::Home;
pub use instance::InstancePage;
pub use login::Login;
pub use new_instance::NewInstance;
pub use not_found::NotFound;
pub use pull_requests::PullRequestsPage;
pub use queue::QueuePage;
pub use servers::ServersPage;
use when_here::when_here;
