//! Reads the world, and never fails as a whole.

pub mod agent;
pub mod locks;
pub mod window;
