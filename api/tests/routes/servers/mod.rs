//! Listing, counting and reading machines.

mod listing;
mod orphans;
mod roles;
