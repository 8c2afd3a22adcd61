//! Records of a conversation with a line of explanation each.

use std::fmt::Write;

use crate::gateway::Outliner;
use crate::grammar::{ConditionCode, Direction, Field, Grammar, Layout, UnknownName, Values};
use crate::message::{Secrets, cover};
use crate::wire::Columns;

/// How many records of a sent batch are shown at its beginning and at its end.
const SHOWN: (usize, usize) = (4, 2);

/// The fields of records that tell what became of something, or where; the others only repeat.
const TELLING: [&str; 2] = ["disposition_type_code", "reference_data_type_code"];

/// Fields that explain themselves.
const REPEATED: [&str; 1] = ["narrative_text"];

/// Explains records by their grammar.
pub(super) struct Annotator {
    grammar: &'static Grammar,
    outliner: Outliner,
    secrets: Secrets,
}

impl Annotator {
    pub(super) fn new() -> Result<Self, UnknownName> {
        let grammar = Grammar::builtin();
        Ok(Self { grammar, outliner: Outliner::new(grammar)?, secrets: Secrets::new(grammar) })
    }

    /// A sent batch, shortened, its password masked.
    pub(super) fn sent(&self, rows: &[Columns]) -> String {
        let mut text = String::new();
        let shortened = rows.len() > SHOWN.0 + SHOWN.1 + 1;
        for (index, row) in rows.iter().enumerate() {
            if shortened && index == SHOWN.0 {
                let _ = writeln!(text, "    … {} more records", rows.len() - SHOWN.0 - SHOWN.1);
            }
            if shortened && (SHOWN.0..rows.len() - SHOWN.1).contains(&index) {
                continue;
            }
            let mut row = *row;
            let hidden = self.secrets.columns(&row, false);
            cover(&mut row, hidden, b'*');
            let _ = writeln!(text, "  > {}", plain(&row));
        }
        text
    }

    /// An answer, each record explained.
    pub(super) fn answer(&self, rows: &[Columns]) -> String {
        let application =
            rows.first().map(|header| self.outliner.outline(std::slice::from_ref(header)).application);
        let application = application.unwrap_or_default();
        let mut text = String::new();
        for row in rows {
            let _ = writeln!(text, "  < {}", plain(row));
            if let Some(layout) = self.layout(&application, row) {
                let _ = writeln!(text, "      {}", self.explain(&application, layout, row));
            }
        }
        text
    }

    fn layout(&self, application: &str, row: &Columns) -> Option<&'static Layout> {
        let is_of = |layout: &&Layout| {
            layout.direction == Direction::Output
                && [application, "*"].contains(&layout.application.as_str())
                && row.starts_with(layout.record.as_bytes())
        };
        let found = self.grammar.layouts().iter().filter(is_of).max_by_key(|layout| layout.record.len())?;
        self.grammar.resolve(&found.application, Direction::Output, &found.record, row)
    }

    /// The record's name and, where it says more than who is meant, its fields.
    fn explain(&self, application: &str, layout: &Layout, row: &Columns) -> String {
        let general =
            self.grammar.find(&layout.application, layout.direction, &layout.record, "").unwrap_or(layout);
        let mut text = general.name.replace('_', " ");
        if !TELLING.iter().any(|name| layout.field(name).is_some()) {
            return text;
        }
        let mut separator = ':';
        for field in layout.fields.iter().filter(|field| !field.is_filler() && !field.cell.is_blank(row)) {
            // what is a constant in one variant of a record may be a code in the record as such
            let code = general.field(&field.name).unwrap_or(field);
            if matches!(code.values, Values::Constant(_)) || REPEATED.contains(&field.name.as_str()) {
                continue;
            }
            let value = field.cell.text(row);
            let _ = write!(text, "{separator} {} {value}", field.name.replace('_', " "));
            if let Some(meaning) = self.meaning(application, code, value) {
                let _ = write!(text, " ({meaning})");
            }
            separator = ',';
        }
        text
    }

    fn meaning(&self, application: &str, field: &Field, value: &str) -> Option<&str> {
        if field.name == "condition_code" {
            let code = ConditionCode::new(value)?;
            // a list of conditions may stand under the request or under its response
            let request = self.grammar.applications().iter().find(|request| request.response == application);
            let request = request.map_or(application, |request| request.code.as_str());
            let lists = [application, request, "*"];
            let condition = lists.iter().find_map(|list| self.grammar.conditions().get(list, code))?;
            return Some(condition.meaning.as_str()).filter(|meaning| !meaning.is_empty());
        }
        match &field.values {
            Values::List(list) => self.grammar.list(list)?.meaning(value),
            _ => None,
        }
    }
}

fn plain(row: &Columns) -> String {
    String::from_utf8_lossy(row).trim_end().to_owned()
}
