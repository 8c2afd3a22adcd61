//! Flat files.

use std::sync::LazyLock;

use crate::flat::{Event, FlatLayout, FlatWriter, Translator, read_flat};
use crate::grammar::{Grammar, LoadError, Source};
use crate::message::Outline;
use crate::wire::Columns;

static TRANSLATOR: LazyLock<Option<Translator<'static>>> =
    LazyLock::new(|| Translator::new(Grammar::builtin()).ok());
static ENTRY_LINES: LazyLock<Option<FlatLayout>> =
    LazyLock::new(|| FlatLayout::entry_lines(Grammar::builtin()).ok());

/// A layout that begins with its first word and, behind a zero byte, a file of it; or comma separated
/// values of the built-in layout.
pub fn flat_files(data: &[u8]) {
    if data.starts_with(b"flat") {
        let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
        let Ok(text) = std::str::from_utf8(&data[..end]) else { return };
        let source = Source { name: "fuzz".to_owned(), text: text.to_owned() };
        match FlatLayout::load(&source, Grammar::builtin()) {
            Ok(layout) => drop(read(&layout, data.get(end + 1..).unwrap_or_default())),
            Err(LoadError::Grammar { line, column, .. }) => assert!(line > 0 && column > 0),
            Err(LoadError::Unreadable { .. }) => {}
        }
        return;
    }
    let Some(layout) = &*ENTRY_LINES else { return };
    let Some(outcome) = read(layout, data) else { return };
    assert_eq!(outcome.rejected, outcome.problems);
    let Some(table) = write(layout, &outcome.rows) else { return };
    let again = read(layout, &table);
    assert!(again.is_some_and(|again| again.problems == 0 && again.rows == outcome.rows));
}

#[derive(Default)]
struct Outcome {
    rows: Vec<Columns>,
    problems: usize,
    rejected: usize,
}

/// What becomes of a file; nothing if it cannot be read on.
fn read(layout: &FlatLayout, file: &[u8]) -> Option<Outcome> {
    let mut outcome = Outcome::default();
    let read = read_flat(layout, TRANSLATOR.as_ref()?, file, &mut |event| {
        match event {
            Event::Record(row) => outcome.rows.push(row),
            Event::Problem(_) => outcome.problems = 1,
            Event::Rejected(_) => outcome.rejected = 1,
            Event::Rows(_) => {}
        }
        Ok(())
    });
    read.is_ok().then_some(outcome)
}

/// The records as a file; nothing if some cannot be carried.
fn write(layout: &FlatLayout, rows: &[Columns]) -> Option<Vec<u8>> {
    let mut writer = FlatWriter::new(layout, TRANSLATOR.as_ref()?);
    let mut outline = Outline::new(Grammar::builtin());
    let (mut parts, mut events, mut file) = (Vec::new(), Vec::new(), Vec::new());
    rows.iter().for_each(|row| outline.push(row, &mut parts));
    outline.finish(&mut parts);
    writer.parts(&parts, &mut events);
    for event in events {
        match event {
            Event::Rows(bytes) => file.extend(bytes),
            Event::Problem(_) | Event::Rejected(_) => return None,
            Event::Record(_) => {}
        }
    }
    Some(file)
}
