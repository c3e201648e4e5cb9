//! The OpenCraft Instance Manager. `ARCHITECTURE.md` is the map.

pub mod ansible;
pub mod children;
pub mod db;
pub mod instances;
pub mod routing;
pub mod servers;
