//! Rolls in every style that people and programs write: what is not touched stays as it was, byte for byte.
