//! The ten rules of decision, each shown by what would go wrong without it. The seventh, that ids have
//! grades, is in `id_materialized`.

mod another_tmux_folder;
mod another_user;
mod could_not_look;
mod cross_examination;
mod home;
mod mass_change;
mod memory;
mod person_wins;
mod two_looks;
mod who_is_who;
