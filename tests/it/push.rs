//! Delegated jobs: what their records and their events do to a row.

mod records;
