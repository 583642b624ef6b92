//! `headcount schema`

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Failure, output};
use crate::exit::Exit;

/// The JSON Schemas of the formats, by name.
const SCHEMAS: [(&str, &str); 11] = [
    ("checkup", include_str!("../../schemas/checkup.schema.json")),
    (
        "explanation",
        include_str!("../../schemas/explanation.schema.json"),
    ),
    (
        "job-event",
        include_str!("../../schemas/job-event.schema.json"),
    ),
    ("notice", include_str!("../../schemas/notice.schema.json")),
    ("plan", include_str!("../../schemas/plan.schema.json")),
    ("pruning", include_str!("../../schemas/pruning.schema.json")),
    (
        "recovery",
        include_str!("../../schemas/recovery.schema.json"),
    ),
    (
        "registry",
        include_str!("../../schemas/registry.schema.json"),
    ),
    ("report", include_str!("../../schemas/report.schema.json")),
    (
        "snapshot",
        include_str!("../../schemas/snapshot.schema.json"),
    ),
    ("status", include_str!("../../schemas/status.schema.json")),
];

/// Print the JSON Schema of a format
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount schema report                              what reconcile --emit-diff prints
  headcount schema notice | jq -r '.properties | keys[]'")]
pub(super) struct Arguments {
    /// The format
    #[arg(value_parser = PossibleValuesParser::new(SCHEMAS.map(|(name, _)| name)))]
    format: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    for (name, schema) in SCHEMAS {
        if name == arguments.format {
            output::print(|out| out.write_all(schema.as_bytes()))?;
        }
    }
    Ok(Exit::Done)
}
