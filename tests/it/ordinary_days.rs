//! The ordinary days of a machine with coding agents on it, walked literally.
