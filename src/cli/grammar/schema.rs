//! `abigate grammar schema`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::output::Outputs;
use crate::grammar::{Direction, Grammar};
use crate::message::{records_schema, schema_text};
use crate::translate::model_schema;

/// JSON Schema of what `convert` writes: of an application's records, or of the model.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Arguments {
    /// The schema of the records of this application identifier, such as AE.
    #[arg(long, value_name = "ID")]
    app: Option<String>,
    /// The schema of the model.
    #[arg(long)]
    model: bool,
    /// All of them, into files of this folder.
    #[arg(long, value_name = "FOLDER")]
    all: Option<PathBuf>,
}

pub(super) fn run(grammar: &Grammar, arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<()> {
    if let Some(folder) = &arguments.all {
        return write_all(grammar, folder, outputs);
    }
    let schema = match &arguments.app {
        None => model_schema(grammar),
        Some(code) => {
            let known = described(grammar).find(|(known, _)| known == code);
            let Some((code, direction)) = known else { bail!("no grammar has records of {code}") };
            records_schema(grammar, code, direction)
        }
    };
    Ok(outputs.standard().write_all(schema_text(&schema).as_bytes())?)
}

/// The applications that have records of their own.
fn described(grammar: &Grammar) -> impl Iterator<Item = (&str, Direction)> {
    let applications = grammar.applications().iter().map(|known| (known.code.as_str(), known.direction));
    applications.filter(|(code, direction)| {
        let mut layouts = grammar.layouts().iter();
        layouts.any(|layout| layout.application == *code && layout.direction == *direction)
    })
}

fn write_all(grammar: &Grammar, folder: &Path, outputs: &Outputs) -> anyhow::Result<()> {
    let records = folder.join("records");
    fs::create_dir_all(&records).with_context(|| records.display().to_string())?;
    let write = |path: PathBuf, schema| outputs.write(&path, schema_text(&schema).as_bytes());
    write(folder.join("model.schema.json"), model_schema(grammar))?;
    described(grammar).try_for_each(|(code, direction)| {
        let path = records.join(format!("{code}.schema.json"));
        write(path, records_schema(grammar, code, direction))
    })
}
