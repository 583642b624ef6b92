//! What the core promises, whatever the roll, the machine and the memory look like.

#[path = "core_properties/blur.rs"]
mod blur;
#[path = "core_properties/edits.rs"]
mod edits;
#[path = "core_properties/generate/mod.rs"]
mod generate;
#[path = "core_properties/ignorance.rs"]
mod ignorance;
#[path = "core_properties/laws.rs"]
mod laws;
#[path = "core_properties/rules/mod.rs"]
mod rules;
#[path = "core_properties/scene/mod.rs"]
mod scene;
#[path = "core_properties/times.rs"]
mod times;
