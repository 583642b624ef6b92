//! The state folder: private, and of use even after it was damaged.
