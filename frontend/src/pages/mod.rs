//! The screens.

mod home;
mod instance;
mod login;
mod new_instance;
mod not_found;

pub use home::Home;
pub use instance::InstancePage;
pub use login::Login;
pub use new_instance::NewInstance;
pub use not_found::NotFound;
