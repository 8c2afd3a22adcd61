//! `abigate grammar diff`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use crate::cli::Ending;
use crate::grammar::{Change, Direction, Grammar, diff};

/// What changed from one revision of a chapter to another, field by field.
///
/// Records and fields, structures, and the codes of the lists that fields of both name are compared;
/// notes are not. Where one side is `builtin`, only what the other one has applications for is.
/// A field that has another name but the same columns, or the same name in print, counts as renamed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes:\n  0  no differences\n  1  differences\n  2  a grammar cannot be used")]
pub(super) struct Arguments {
    /// The older revision: a grammar file, a folder of grammars and code lists, or `builtin`.
    old: PathBuf,
    /// The newer one.
    #[arg(default_value = BUILTIN)]
    new: PathBuf,
    /// How differences are written.
    #[arg(long, value_enum, default_value = "words")]
    format: Format,
}

/// The name of the grammars that come with the program.
const BUILTIN: &str = "builtin";

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// By record, structure and code list.
    Words,
    /// One JSON document.
    Json,
}

/// A revision's grammar; nothing stands for the one of the program.
struct Edition(Option<Grammar>);

impl Edition {
    fn of(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new(BUILTIN) {
            return Ok(Self(None));
        }
        Ok(Self(Some(Grammar::alone(path)?)))
    }

    fn grammar(&self) -> &Grammar {
        self.0.as_ref().unwrap_or_else(|| Grammar::builtin())
    }

    fn has(&self, application: &str, direction: Direction) -> bool {
        let is_same = |own: &str, way| own == application && way == direction;
        let mut layouts = self.grammar().layouts().iter();
        layouts.any(|layout| is_same(&layout.application, layout.direction))
    }

    /// The chapters and revisions, as far as the other edition has the chapter, too.
    fn title(&self, other: &Self) -> String {
        let chapters = self.grammar().chapters().iter();
        let is_told = |name: &str| {
            self.0.is_some() || other.grammar().chapters().iter().any(|chapter| chapter.name == name)
        };
        let named = chapters.filter(|chapter| is_told(&chapter.name));
        let titles = named.map(|chapter| format!("{}, {}", chapter.name, chapter.revision));
        titles.collect::<Vec<_>>().join("; ")
    }
}

pub(super) fn run(arguments: &Arguments, out: &mut impl Write) -> anyhow::Result<Ending> {
    let (old, new) = (Edition::of(&arguments.old)?, Edition::of(&arguments.new)?);
    let wanted = |application: &str, direction: Direction| {
        (old.0.is_some() || new.has(application, direction))
            && (new.0.is_some() || old.has(application, direction))
    };
    let changes = diff(old.grammar(), new.grammar(), &wanted);
    let titles = [old.title(&new), new.title(&old)];
    match arguments.format {
        Format::Words => in_words(&titles, &changes, out)?,
        Format::Json => {
            let document = json!({"from": titles[0], "to": titles[1], "changes": changes});
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)?;
        }
    }
    Ok(if changes.is_empty() { Ending::Clean } else { Ending::Findings })
}

fn in_words([from, to]: &[String; 2], changes: &[Change], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "from  {from}\nto    {to}")?;
    let widest = changes.iter().map(|change| change.field.len()).max().unwrap_or_default();
    let mut last = String::new();
    for change in changes {
        let heading = heading(change);
        if heading != last {
            writeln!(out, "\n{heading}")?;
            last = heading;
        }
        match change.columns {
            Some((first, last)) => {
                let columns = if first == last { first.to_string() } else { format!("{first}-{last}") };
                writeln!(out, "  {columns:<6} {:<widest$}  {}", change.field, change.text)?;
            }
            None => writeln!(out, "  {}", change.text)?,
        }
    }
    let places = changes.iter().map(heading).collect::<BTreeSet<_>>().len();
    match changes.len() {
        0 => writeln!(out, "\nno differences"),
        1 => writeln!(out, "\n1 difference"),
        count => writeln!(out, "\n{count} differences in {places} places"),
    }
}

fn heading(change: &Change) -> String {
    if !change.list.is_empty() {
        return format!("code list {}", change.list);
    }
    let way = format!("{} {}", change.application, change.direction);
    if !change.structure.is_empty() {
        return format!("{way}, structure {}", change.structure.join(" > "));
    }
    match change.variant.as_str() {
        "" => format!("{way}, record {}", change.record),
        variant => format!("{way}, record {}, {variant}", change.record),
    }
}
