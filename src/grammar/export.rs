//! Every field of the grammars as a table.

use std::io::{self, Write};

use super::Grammar;
use super::layout::Values;

/// The columns of the table.
const HEADER: [&str; 14] = [
    "app",
    "dir",
    "record",
    "variant",
    "record_name",
    "field",
    "element",
    "start",
    "end",
    "class",
    "desig",
    "decimals",
    "values",
    "note",
];

impl Values {
    /// As the table writes them: `=10`, `A,D,R`, `@country`.
    #[must_use]
    pub fn in_table(&self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Constant(text) => format!("={text}"),
            Self::OneOf(texts) => texts.join(","),
            Self::List(name) => format!("@{name}"),
        }
    }
}

/// Writes every field of the applications, or of all if none is named, as tab-separated values.
///
/// # Errors
/// Whatever the writer fails with.
pub fn export(grammar: &Grammar, applications: &[String], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", HEADER.join("\t"))?;
    for layout in grammar.layouts() {
        if !applications.is_empty() && !applications.contains(&layout.application) {
            continue;
        }
        for field in &layout.fields {
            let decimals = field.decimals.map(|decimals| decimals.to_string()).unwrap_or_default();
            let class = field.class.to_string();
            let row = [
                layout.application.as_str(),
                layout.direction.name(),
                &layout.record,
                &layout.variant,
                &layout.name,
                &field.name,
                &field.element,
                &field.cell.first_column().to_string(),
                &field.cell.last_column().to_string(),
                &class,
                &field.designation.letter().to_string(),
                &decimals,
                &field.values.in_table(),
                &field.note,
            ]
            .join("\t");
            writeln!(out, "{row}")?;
        }
    }
    Ok(())
}
