//! The OpenCraft Instance Manager. `ARCHITECTURE.md` is the map.

pub mod ansible;
pub mod audit;
pub mod children;
pub mod db;
pub mod events;
pub mod instances;
pub mod jobs;
pub mod logs;
pub mod routing;
pub mod servers;
