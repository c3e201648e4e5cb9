mod login;
mod logout;
mod me;
mod password;
mod sessions;
mod tokens;
