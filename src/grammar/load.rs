//! Grammar files compiled into tables: names resolved, layouts checked, structures made automata.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::automaton::Automaton;
use super::cell::Cell;
use super::class::ClassSet;
use super::codes::{CodeList, Condition, Severity};
use super::layout::{ConditionCode, Direction, Field, Layout, LayoutId, Values};
use super::mark::Mark;
use super::mask::Masks;
use super::parse::{self, FieldStatement, GroupTemplate, MemberTemplate, Place, RecordStatement, Statement};
use super::structure::{GroupMember, Member, Structure};
use super::value::{ListSets, QuickChecks, ValueCheck};
use super::{Application, Grammar};
use crate::wire::{RECORD_LENGTH, read_text};

/// The files of `grammars/` but those of `grammars/tariff`, by their names in order, as `build.rs` lists them.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/grammars.rs"));

/// A grammar or code file: its name and text.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's path, as diagnostics name it.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// A grammar file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file breaks the language, or says what cannot be.
    #[error("{file}:{line}:{column}: {message}")]
    Grammar {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The grammars that come with the program. They are tested; should one be broken all the same, the
/// program says so at the first message instead of at none, so the rest stays usable.
pub(super) fn builtin() -> Grammar {
    let mut grammar = Grammar::default();
    if let Err(error) = grammar.add(&embedded()) {
        tracing::error!(%error, "built-in grammar is broken");
    }
    grammar
}

fn embedded() -> Vec<Source> {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).to_owned(), text: (*text).to_owned() };
    FILES.iter().map(source).collect()
}

impl Grammar {
    /// The grammars that come with the program, and those of a folder, which add to them or
    /// override records, structures, lists and conditions of the same name.
    ///
    /// # Errors
    /// A file that cannot be read or breaks the language.
    pub fn with_folder(folder: &Path) -> Result<Self, LoadError> {
        let mut grammar = Self::default();
        grammar.add(&embedded())?;
        let mut sources = Vec::new();
        read_folder(folder, &mut sources)?;
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        grammar.add(&sources)?;
        Ok(grammar)
    }

    /// The records and structures of a grammar file or of a folder, and no others. Code lists and
    /// fragments that they name and do not bring along are those that come with the program.
    ///
    /// # Errors
    /// A file that cannot be read or breaks the language.
    pub fn alone(path: &Path) -> Result<Self, LoadError> {
        let mut sources = Vec::new();
        if path.is_dir() {
            read_folder(path, &mut sources)?;
            sources.sort_by(|one, other| one.name.cmp(&other.name));
        } else {
            let unreadable = |source| LoadError::Unreadable { path: path.to_owned(), source };
            let text = read_text(path).map_err(unreadable)?;
            sources.push(Source { name: path.display().to_string(), text });
        }
        let mut grammar = Self::default();
        grammar.add_beside(&embedded(), &sources)?;
        Ok(grammar)
    }

    /// Adds grammar files (`*.grammar`) and code files (`*.tsv`).
    ///
    /// # Errors
    /// A file that breaks the language or says what cannot be.
    pub fn add(&mut self, sources: &[Source]) -> Result<(), LoadError> {
        self.add_beside(&[], sources)
    }

    /// Adds files; of those lent, no more than their code lists and fragments.
    fn add_beside(&mut self, lent: &[Source], own: &[Source]) -> Result<(), LoadError> {
        let is_of_use =
            |source: &&Source| !source.name.ends_with(".grammar") || source.text.contains("\nfragment ");
        let lent = || lent.iter().filter(is_of_use).map(|source| (source, false));
        let sources = || lent().chain(own.iter().map(|source| (source, true)));
        for (source, _) in sources().filter(|(source, _)| source.name.ends_with(".tsv")) {
            self.add_codes(source)?;
        }
        let mut fragments = HashMap::new();
        let mut structures = Vec::new();
        for (source, is_own) in sources().filter(|(source, _)| source.name.ends_with(".grammar")) {
            let statements =
                parse::parse(&source.text).map_err(|(place, message)| source.error(place, message))?;
            let mut current = String::new();
            for (place, statement) in statements {
                match statement {
                    Statement::Fragment { name, members } => {
                        fragments.insert(name, members);
                    }
                    _ if !is_own => {}
                    Statement::Chapter(chapter) => {
                        self.chapters.retain(|known| known.name != chapter.name);
                        current.clone_from(&chapter.name);
                        self.chapters.push(chapter);
                    }
                    Statement::Pairing { input, response } => {
                        self.responses.insert(input, response);
                    }
                    Statement::Borrowing { borrower, lender } => {
                        let lenders = self.lenders.entry(borrower).or_default();
                        if !lenders.contains(&lender) {
                            lenders.push(lender);
                        }
                    }
                    Statement::Record(record) => {
                        let key = (record.application.clone(), record.direction);
                        self.described_by.entry(key).or_insert_with(|| current.clone());
                        self.add_record(record).map_err(|(rest, message)| {
                            let at = rest.map(|rest| parse::place_before(&source.text, rest));
                            source.error(at.unwrap_or(place), message)
                        })?;
                    }
                    Statement::Structure { application, direction, group } => {
                        self.described_by.insert((application.clone(), direction), current.clone());
                        structures.push((source, place, application, direction, group));
                    }
                }
            }
        }
        for (source, place, application, direction, template) in structures {
            let root = expand(&template, &fragments, 0).map_err(|message| source.error(place, message))?;
            let structure = Structure { application, direction, root };
            let automaton = Automaton::compile(&structure).map_err(|message| source.error(place, message))?;
            self.structures.retain(|(known, _)| {
                (&known.application, known.direction, &known.root.name)
                    != (&structure.application, structure.direction, &structure.root.name)
            });
            self.structures.push((structure, automaton));
        }
        self.resolve_values();
        Ok(())
    }

    /// An error comes with the bytes from the field at fault to the end of the file.
    fn add_record(&mut self, statement: RecordStatement) -> Result<(), (Option<usize>, String)> {
        let mut fields = Vec::new();
        let mut next = 1;
        for field in &statement.fields {
            let at = |message| (Some(field.rest), message);
            if field.first != next || field.last < field.first {
                return Err(at(format!("{} begins at {}, expected {next}", field.name, field.first)));
            }
            next = field.last + 1;
            if next > RECORD_LENGTH + 1 {
                return Err(at(format!("{} ends at {}, beyond the record", field.name, field.last)));
            }
            if field.name != "filler" && fields.iter().any(|known: &Field| known.name == field.name) {
                return Err(at(format!("{} stands twice", field.name)));
            }
            fields.push(compile_field(field).map_err(at)?);
        }
        if next != RECORD_LENGTH + 1 {
            return Err((
                None,
                format!("record {} ends at {}, expected {RECORD_LENGTH}", statement.record, next - 1),
            ));
        }
        let key = (statement.application.clone(), statement.direction, statement.record.clone());
        let known = self
            .by_record
            .get(&key)
            .and_then(|ids| ids.iter().find(|id| self.layout(**id).variant == statement.variant))
            .copied();
        let id = match known {
            Some(id) => id,
            None => LayoutId(
                u16::try_from(self.layouts.len()).map_err(|_| (None, "too many layouts".to_owned()))?,
            ),
        };
        let masks = Arc::new(Masks::of(&fields));
        let deciding = (0..fields.len()).filter(|index| fields[*index].decides).collect();
        let marks = fields.iter().filter(|field| field.decides).filter_map(Mark::of).collect();
        let layout = Layout {
            id,
            application: statement.application,
            direction: statement.direction,
            record: statement.record,
            variant: statement.variant,
            name: statement.name,
            fields,
            quick: QuickChecks::new(&masks),
            masks,
            values: Vec::new(),
            deciding,
            marks,
        };
        match known {
            Some(id) => self.layouts[usize::from(id.0)] = layout,
            None => {
                self.by_record.entry(key).or_default().push(id);
                self.layouts.push(layout);
            }
        }
        Ok(())
    }

    /// Lists may come after the records that name them.
    fn resolve_values(&mut self) {
        let mut sets = ListSets::new();
        for index in 0..self.layouts.len() {
            let fields = self.layouts[index].fields.iter().enumerate().skip(1);
            let checks = fields.filter_map(|(at, field)| ValueCheck::of(self, &mut sets, at, field));
            let values = checks.collect::<Vec<_>>();
            let layout = &mut self.layouts[index];
            layout.quick = QuickChecks::of(&layout.masks, &layout.fields, &values);
            layout.values = values;
        }
    }

    fn add_codes(&mut self, source: &Source) -> Result<(), LoadError> {
        let name = Path::new(&source.name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let mut lines = source.text.lines().enumerate().filter(|(_, line)| {
            let line = line.trim_end_matches('\r');
            !line.is_empty() && !line.starts_with("# ")
        });
        let cells =
            |line: &str| line.trim_end_matches('\r').split('\t').map(str::to_owned).collect::<Vec<_>>();
        let header = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
        let mut rows = Vec::new();
        for (number, line) in lines {
            let mut row = cells(line);
            if row.len() > header.len() {
                let place = Place { line: number + 1, column: 1 };
                let message = format!("found {} columns, expected at most {}", row.len(), header.len());
                return Err(source.error(place, message));
            }
            row.resize(header.len(), String::new());
            rows.push(row);
        }
        let list = CodeList::new(name, header, rows);
        if name.starts_with("conditions") {
            self.add_conditions(&list, source)?;
        } else if name == "applications" {
            self.add_applications(&list);
        }
        self.lists.insert(name.to_owned(), list);
        Ok(())
    }

    fn add_conditions(&mut self, list: &CodeList, source: &Source) -> Result<(), LoadError> {
        for (index, row) in list.rows().iter().enumerate() {
            let text = |column| list.cell(row, column).unwrap_or_default();
            let Some(code) = ConditionCode::new(text("code")) else {
                let place = Place { line: index + 2, column: 1 };
                return Err(source.error(place, format!("{:?} is no condition code", text("code"))));
            };
            self.conditions.insert(Condition {
                application: text("app").to_owned(),
                code,
                narrative: text("narrative").to_owned(),
                severity: Severity::from_column(text("severity")),
                meaning: text("meaning").to_owned(),
            });
        }
        Ok(())
    }

    fn add_applications(&mut self, list: &CodeList) {
        for row in list.rows() {
            let text = |column| list.cell(row, column).unwrap_or_default();
            let yes = |column| matches!(text(column), "Y" | "yes" | "1" | "true" | "x");
            let application = Application {
                code: text("code").to_owned(),
                name: text("name").to_owned(),
                direction: if text("direction") == "out" { Direction::Output } else { Direction::Input },
                response: text("response").to_owned(),
                e_manifest: text("family") == "eMAN",
                preparer_allowed: yes("preparer_allowed"),
                national_permit_required: yes("national_permit_required"),
            };
            if !application.response.is_empty() {
                self.responses.insert(application.code.clone(), application.response.clone());
            }
            self.applications.retain(|known| {
                (known.code.as_str(), known.direction) != (application.code.as_str(), application.direction)
            });
            self.applications.push(application);
        }
    }
}

impl Source {
    fn error(&self, place: Place, message: String) -> LoadError {
        LoadError::Grammar { file: self.name.clone(), line: place.line, column: place.column, message }
    }
}

fn read_folder(folder: &Path, sources: &mut Vec<Source>) -> Result<(), LoadError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| LoadError::Unreadable { path, source }
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        if path.is_dir() {
            read_folder(&path, sources)?;
        } else if path.extension().is_some_and(|kind| kind == "grammar" || kind == "tsv") {
            let text = read_text(&path).map_err(unreadable(&path))?;
            sources.push(Source { name: path.display().to_string(), text });
        }
    }
    Ok(())
}

fn compile_field(statement: &FieldStatement) -> Result<Field, String> {
    let class = statement.accepted.unwrap_or(statement.class);
    let column =
        |column: usize| u8::try_from(column).map_err(|_| format!("column {column} is beyond the record"));
    let cell = Cell {
        start: column(statement.first - 1)?,
        end: column(statement.last)?,
        class,
        decimals: statement.decimals.unwrap_or(0),
        date_format: statement.date_format,
    };
    let dated = statement.date_format.is_some() || class.has(ClassSet::DATE);
    let format = cell.date_format().unwrap_or_default();
    let width = format.width();
    if dated && cell.width() != width {
        return Err(format!("{} holds a date of {width} digits in {} columns", statement.name, cell.width()));
    }
    let fits = |text: &str| text.len() <= cell.width() && text.bytes().all(|byte| class.admits(byte));
    let unfit = |values: &Values| -> Option<String> {
        match values {
            Values::Constant(text) if !fits(text) => Some(text.clone()),
            Values::OneOf(texts) => texts.iter().find(|text| !fits(text)).cloned(),
            _ => None,
        }
    };
    let mut values = std::iter::once(&statement.values).chain(&statement.also);
    if let Some(text) = values.find_map(unfit) {
        return Err(format!("{text:?} does not fit {} of class {class} in columns {cell}", statement.name));
    }
    Ok(Field {
        name: statement.name.clone(),
        element: match statement.element.as_str() {
            "" if statement.name == "filler" => "Filler".to_owned(),
            element => element.to_owned(),
        },
        cell,
        class: statement.class,
        designation: statement.designation,
        decimals: statement.decimals,
        values: statement.values.clone(),
        also: statement.also.clone(),
        decides: statement.decides,
        conditions: statement.conditions.clone(),
        note: statement.note.clone(),
    })
}

/// Fragments may use fragments, but not so deep that one uses itself.
const DEEPEST: usize = 32;

fn expand(
    template: &GroupTemplate,
    fragments: &HashMap<String, Vec<MemberTemplate>>,
    depth: usize,
) -> Result<GroupMember, String> {
    let mut group = template.group.clone();
    group.members = expand_all(&template.members, fragments, depth)?;
    Ok(group)
}

fn expand_all(
    members: &[MemberTemplate],
    fragments: &HashMap<String, Vec<MemberTemplate>>,
    depth: usize,
) -> Result<Vec<Member>, String> {
    if depth > DEEPEST {
        return Err("fragments use each other without end".to_owned());
    }
    let mut expanded = Vec::new();
    for member in members {
        match member {
            MemberTemplate::Record(record) => expanded.push(Member::Record(record.clone())),
            MemberTemplate::Group(group) => {
                expanded.push(Member::Group(expand(group, fragments, depth + 1)?))
            }
            MemberTemplate::Use(name) => {
                let inner = fragments.get(name).ok_or_else(|| format!("no fragment {name}"))?;
                expanded.extend(expand_all(inner, fragments, depth + 1)?);
            }
        }
    }
    Ok(expanded)
}
