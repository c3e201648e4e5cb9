//! The pages of the application.

mod account;
mod activity;
mod credentials;
#[cfg(debug_assertions)]
mod design;
mod home;
mod instance;
mod login;
mod new_instance;
mod not_found;
mod not_permitted;
mod pull_requests;
mod queue;
mod servers;
mod system;
mod users;
mod when_here;

pub use account::AccountPage;
pub use activity::ActivityPage;
#[cfg(debug_assertions)]
pub use design::DesignPage;
pub use home::Home;
pub use instance::{Before, DataTab, InstancePage, PullRequestTab, SettingsTab};
pub use login::Login;
pub use new_instance::NewInstance;
pub use not_found::NotFound;
use not_permitted::NotPermitted;
pub use pull_requests::PullRequestsPage;
pub use queue::QueuePage;
pub use servers::ServersPage;
pub use system::SystemPage;
pub use users::UsersPage;
use when_here::when_here;
