//! Grammars: what each chapter's records look like, as data.
//!
//! The files of `grammars/` are compiled into the program; a folder given at run time adds to them
//! or overrides them. Nothing in Rust knows a column: a field is reached by its name, which is
//! resolved once into a [`Cell`]. The language is described in `docs/grammar.md`.

mod automaton;
mod cell;
mod class;
mod codes;
mod diff;
mod export;
mod layout;
mod load;
mod mark;
mod mask;
pub(crate) mod parse;
mod structure;
mod value;

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

pub use automaton::{Automaton, Cursor, Fault, GroupIndex, GroupInfo, Slot, SlotInfo, Symbol, Transition};
pub use cell::{Cell, DateFormat, PutError, ValueError};
pub use class::ClassSet;
pub use codes::{CodeList, Condition, Conditions, Severity};
pub use diff::{Change, ChangeKind, diff};
pub use export::export;
pub use layout::{
    ConditionCode, Designation, Direction, Field, FieldConditions, Layout, LayoutId, UnknownName, Values,
};
pub use load::{LoadError, Source};
pub use mark::Mark;
pub use mask::{ALL_COLUMNS, Bits, Masks, any_of, columns_with};
pub use structure::{
    Discriminator, GroupMember, Member, Order, RecordMember, Structure, StructureConditions,
};

pub use value::ValueCheck;

use crate::wire::Columns;

/// What a grammar was made from.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Basis {
    /// The chapter itself.
    #[default]
    Chapter,
    /// A transcription of the chapter's tables; columns, classes and designations are the chapter's.
    Transcription,
    /// A list of the chapter's records; some of it is assumed.
    Outline,
}

impl Basis {
    /// The word that stands for it in a grammar file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chapter => "chapter",
            Self::Transcription => "transcription",
            Self::Outline => "outline",
        }
    }
}

/// A chapter of the interface requirements.
#[derive(Clone, Debug)]
pub struct Chapter {
    /// Its title.
    pub name: String,
    /// The edition its grammar follows.
    pub revision: String,
    /// The pages its records stand on.
    pub pages: String,
    /// What its grammar was made from.
    pub basis: Basis,
}

/// An application identifier of the batch chapter (B&B-10, B&B-21).
#[derive(Clone, Debug)]
pub struct Application {
    /// The two-character identifier.
    pub code: String,
    /// What it is called.
    pub name: String,
    /// Which way its transactions travel.
    pub direction: Direction,
    /// The identifier of the response to an input; empty if there is none.
    pub response: String,
    /// Whether it is of the e-Manifest family (eMAN), whose control records differ.
    pub e_manifest: bool,
    /// Whether preparer codes may stand in its B-record.
    pub preparer_allowed: bool,
    /// Whether a broker needs a national permit for it.
    pub national_permit_required: bool,
}

/// Everything the grammar files say, compiled.
#[derive(Debug, Default)]
pub struct Grammar {
    chapters: Vec<Chapter>,
    layouts: Vec<Layout>,
    by_record: HashMap<(String, Direction, String), Vec<LayoutId>>,
    structures: Vec<(Structure, Automaton)>,
    lists: HashMap<String, CodeList>,
    conditions: Conditions,
    applications: Vec<Application>,
    responses: HashMap<String, String>,
    /// The names of the chapters that describe the applications.
    described_by: HashMap<(String, Direction), String>,
    /// Whose records an application's structure has besides its own.
    lenders: HashMap<(String, Direction), Vec<(String, Direction)>>,
}

static BUILTIN: LazyLock<Grammar> = LazyLock::new(load::builtin);

impl Grammar {
    /// The grammars that come with the program.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// The chapters, in the order of their files.
    #[must_use]
    pub fn chapters(&self) -> &[Chapter] {
        &self.chapters
    }

    /// The chapter that describes an application, if one does.
    #[must_use]
    pub fn chapter(&self, application: &str, direction: Direction) -> Option<&Chapter> {
        let name = self.described_by.get(&(application.to_owned(), direction))?;
        self.chapters.iter().find(|chapter| chapter.name == *name)
    }

    /// All layouts, in the order of their files.
    #[must_use]
    pub fn layouts(&self) -> &[Layout] {
        &self.layouts
    }

    /// The layout with this id.
    #[must_use]
    pub fn layout(&self, id: LayoutId) -> &Layout {
        &self.layouts[usize::from(id.0)]
    }

    /// A layout by its names; an empty variant is the record's only or general layout.
    ///
    /// # Errors
    /// No such layout; programs resolve their layouts when they start.
    pub fn find(
        &self,
        application: &str,
        direction: Direction,
        record: &str,
        variant: &str,
    ) -> Result<&Layout, UnknownName> {
        self.variants(application, direction, record).find(|layout| layout.variant == variant).ok_or_else(
            || UnknownName(format!("no layout {application} {} {record} {variant}", direction.name())),
        )
    }

    /// All layouts of a record: those that a field decides for first, in the order of the file.
    pub fn variants(
        &self,
        application: &str,
        direction: Direction,
        record: &str,
    ) -> impl Iterator<Item = &Layout> {
        let key = (application.to_owned(), direction, record.to_owned());
        let ids = self.by_record.get(&key).map_or(&[][..], Vec::as_slice);
        let decided = ids.iter().filter(|id| !self.layout(**id).is_general());
        let general = ids.iter().filter(|id| self.layout(**id).is_general());
        decided.chain(general).map(|id| self.layout(*id))
    }

    /// All layouts of a record of an application's structure: its own, or else those of the first
    /// application that lends it the record.
    #[must_use]
    pub fn layouts_of(&self, application: &str, direction: Direction, record: &str) -> Vec<LayoutId> {
        let of = |application: &str, direction| {
            self.variants(application, direction, record).map(|layout| layout.id).collect::<Vec<_>>()
        };
        let own = of(application, direction);
        if !own.is_empty() {
            return own;
        }
        let lenders = self.lenders.get(&(application.to_owned(), direction));
        let borrowed =
            lenders.into_iter().flatten().map(|(application, direction)| of(application, *direction));
        borrowed.into_iter().find(|layouts| !layouts.is_empty()).unwrap_or_default()
    }

    /// All layouts of an application's records, those that its structure borrows included, in the
    /// order of the files.
    #[must_use]
    pub fn layouts_under(&self, application: &str, direction: Direction) -> Vec<&Layout> {
        let own = |layout: &&Layout| layout.application == application && layout.direction == direction;
        let structure = self.structure(application, direction);
        let records = structure.into_iter().flat_map(|(_, automaton)| automaton.records());
        let mut ids = records
            .flat_map(|record| self.layouts_of(application, direction, record))
            .collect::<BTreeSet<_>>();
        ids.extend(self.layouts.iter().filter(own).map(|layout| layout.id));
        ids.into_iter().map(|id| self.layout(id)).collect()
    }

    /// The layout of a record as it stands: the first one its fields decide for, or a general one.
    #[must_use]
    pub fn resolve(
        &self,
        application: &str,
        direction: Direction,
        record: &str,
        columns: &Columns,
    ) -> Option<&Layout> {
        self.variants(application, direction, record).find(|layout| layout.is_decided(columns))
    }

    /// The map of an application's transaction.
    #[must_use]
    pub fn structure(&self, application: &str, direction: Direction) -> Option<(&Structure, &Automaton)> {
        self.structures
            .iter()
            .find(|(structure, _)| structure.application == application && structure.direction == direction)
            .map(|(structure, automaton)| (structure, automaton))
    }

    /// All maps.
    pub fn structures(&self) -> impl Iterator<Item = (&Structure, &Automaton)> {
        self.structures.iter().map(|(structure, automaton)| (structure, automaton))
    }

    /// A code list by its name, without the `@`.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&CodeList> {
        self.lists.get(name)
    }

    /// All code lists, in no order.
    pub fn lists(&self) -> impl Iterator<Item = &CodeList> {
        self.lists.values()
    }

    /// The conditions CBP answers with.
    #[must_use]
    pub fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// The condition that a code means to an application: its own, that of its response, or the
    /// envelope's.
    #[must_use]
    pub fn condition(&self, application: &str, code: ConditionCode) -> Option<&Condition> {
        let own = [Some(application), self.response(application), Some("*")];
        own.into_iter().flatten().find_map(|application| self.conditions.get(application, code))
    }

    /// The application identifiers.
    #[must_use]
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// The application with this identifier.
    #[must_use]
    pub fn application(&self, code: &str) -> Option<&Application> {
        self.applications.iter().find(|application| application.code == code)
    }

    /// The application identifier that answers this one.
    #[must_use]
    pub fn response(&self, application: &str) -> Option<&str> {
        self.responses.get(application).map(String::as_str)
    }
}
