//! The OpenCraft Instance Manager. `ARCHITECTURE.md` is the map.

pub mod ansible;
pub mod instances;
pub mod openedx;
pub mod routing;
pub mod servers;
