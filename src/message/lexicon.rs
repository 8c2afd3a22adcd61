//! Which layouts the records of a batch or block may have.

use std::collections::HashMap;
use std::rc::Rc;

use super::check::is_secret;
use super::identify::Identifier;
use super::outline::upper;
use crate::grammar::{Automaton, Cell, Direction, Grammar, Layout, Symbol};
use crate::wire::Columns;

/// The variants of control records, of e-Manifest applications and of all others.
const FAMILIES: [&str; 2] = ["eman", "esar"];

/// The layouts of one application's records and of the envelope around them.
#[derive(Debug)]
pub(super) struct Lexicon<'g> {
    pub(super) application: String,
    pub(super) direction: Direction,
    /// The layouts by record, longer identifiers first: a record is told by its first columns.
    records: Vec<(&'g str, Vec<&'g Layout>)>,
    /// How its transactions are made, if a map says it.
    pub(super) structure: Option<(Identifier<'g>, &'g Automaton)>,
}

impl<'g> Lexicon<'g> {
    fn new(grammar: &'g Grammar, application: &str, direction: Direction) -> Self {
        let structure = grammar
            .structure(application, direction)
            .map(|(_, automaton)| (Identifier::new(grammar, application, direction, automaton), automaton));
        let e_manifest = grammar.application(application).is_some_and(|known| known.e_manifest);
        let other_family = FAMILIES[usize::from(e_manifest)];
        let mut lexicon =
            Self { application: application.to_owned(), direction, records: Vec::new(), structure };
        let of = |owner: &str| {
            let owner = owner.to_owned();
            grammar
                .layouts()
                .iter()
                .filter(move |layout| layout.application == owner && layout.direction == direction)
        };
        of(application).for_each(|layout| lexicon.add(grammar, application, layout));
        if let Some((_, automaton)) = lexicon.structure.clone() {
            for record in automaton.records() {
                for id in grammar.layouts_of(application, direction, record) {
                    let layout = grammar.layout(id);
                    lexicon.add(grammar, &layout.application, layout);
                }
            }
        }
        of("*").for_each(|layout| lexicon.add(grammar, "*", layout));
        for (_, layouts) in &mut lexicon.records {
            if layouts.len() > 1 {
                layouts.retain(|layout| layout.variant != other_family);
            }
        }
        lexicon.records.sort_by_key(|(record, _)| std::cmp::Reverse(record.len()));
        lexicon
    }

    /// Adds all layouts of a record, unless it has some already.
    fn add(&mut self, grammar: &'g Grammar, owner: &str, layout: &'g Layout) {
        if self.variants(&layout.record).is_empty() {
            let layouts = grammar.variants(owner, layout.direction, &layout.record).collect();
            self.records.push((&layout.record, layouts));
        }
    }

    /// The records' identifiers.
    pub(super) fn records(&self) -> impl Iterator<Item = &'g str> {
        self.records.iter().map(|(record, _)| *record)
    }

    /// The layouts of a record.
    pub(super) fn variants(&self, record: &str) -> &[&'g Layout] {
        let found = self.records.iter().find(|(known, _)| *known == record);
        found.map_or(&[], |(_, layouts)| layouts)
    }

    /// The kind and layout of a record in upper case.
    pub(super) fn identify(&self, folded: &Columns) -> (Option<Symbol>, Option<&'g Layout>) {
        if let Some((identifier, _)) = &self.structure
            && let Some((symbol, layout)) = identifier.identify(folded)
        {
            return (Some(symbol), Some(identifier.layout(layout)));
        }
        let found = self.records.iter().find(|(record, _)| folded.starts_with(record.as_bytes()));
        (None, found.and_then(|(_, layouts)| best(layouts, folded)))
    }

    /// Whether a record of this kind begins a transaction.
    pub(super) fn begins(&self, symbol: Option<Symbol>) -> bool {
        let Some(((_, automaton), symbol)) = self.structure.as_ref().zip(symbol) else { return false };
        automaton.begins(symbol)
    }
}

/// The layout whose constants match and whose fillers are free, or else the one that comes nearest.
fn best<'g>(layouts: &[&'g Layout], folded: &Columns) -> Option<&'g Layout> {
    let free = |layout: &Layout| {
        layout.fields.iter().filter(|field| field.is_filler()).all(|field| field.cell.is_blank(folded))
    };
    let matching = || layouts.iter().filter(|layout| layout.is_decided(folded));
    let found = matching().find(|layout| free(layout)).or_else(|| matching().next());
    found.or(layouts.last()).copied()
}

/// The lexicons that a stream needs, each made once.
#[derive(Debug)]
pub(super) struct Lexicons<'g> {
    grammar: &'g Grammar,
    /// What is known of the control records whatever layout they have: how they begin, where a password
    /// may stand, where the application is named.
    envelope: Vec<(&'g str, Option<Cell>, Option<Cell>)>,
    known: HashMap<(String, Direction), Rc<Lexicon<'g>>>,
}

impl<'g> Lexicons<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Self {
        let layouts = grammar.layouts().iter().filter(|layout| layout.application == "*");
        let envelope = layouts.map(|layout| {
            let password = layout.fields.iter().find(|field| is_secret(&field.name)).map(|field| field.cell);
            (layout.record.as_str(), password, layout.cell("application_identifier_code").ok())
        });
        Self { grammar, envelope: envelope.collect(), known: HashMap::new() }
    }

    /// An application that no grammar has gets the envelope's records only, and is not kept: a stream
    /// may name any number of them.
    pub(super) fn get(&mut self, application: &str, direction: Direction) -> Rc<Lexicon<'g>> {
        let make = || Rc::new(Lexicon::new(self.grammar, application, direction));
        if self.grammar.application(application).is_none() {
            return make();
        }
        Rc::clone(self.known.entry((application.to_owned(), direction)).or_insert_with(make))
    }

    /// The lexicon of a batch that begins with these records. Where the A-record names no application
    /// the first block does; a batch without any is CBP's if it has no password.
    pub(super) fn of_batch(&mut self, first: &Columns, second: Option<&Columns>) -> Rc<Lexicon<'g>> {
        let named = self.named(first).or_else(|| self.named(second?));
        let folded = upper(first);
        let from_filer = || self.password(&folded).is_none_or(|cell| !cell.is_blank(first));
        let application = named.unwrap_or_default();
        let direction = match self.grammar.application(&application) {
            Some(known) => known.direction,
            None if from_filer() => Direction::Input,
            None => Direction::Output,
        };
        self.get(&application, direction)
    }

    /// The lexicon of a block's transactions: that of the application which its header names, or else
    /// the batch's.
    pub(super) fn of_block(&mut self, batch: &Rc<Lexicon<'g>>, header: &Columns) -> Rc<Lexicon<'g>> {
        let named = self.named(header).filter(|named| *named != batch.application);
        let known = named.and_then(|named| self.grammar.application(&named));
        match known {
            Some(known) => self.get(&known.code, known.direction),
            None => Rc::clone(batch),
        }
    }

    /// Where a password may stand in a control record, whatever layout it is taken for.
    pub(super) fn password(&self, folded: &Columns) -> Option<Cell> {
        self.envelope(folded).find_map(|(password, _)| password)
    }

    /// Which way an application's transactions travel.
    pub(super) fn named_direction(&self, application: &str) -> Direction {
        self.grammar.application(application).map_or(Direction::Input, |known| known.direction)
    }

    /// The application that a header names, upper case.
    fn named(&self, row: &Columns) -> Option<String> {
        let folded = upper(row);
        let cell = self.envelope(&folded).find_map(|(_, application)| application)?;
        cell.value(&folded).map(str::to_owned)
    }

    /// What all layouts say that a control record may have.
    fn envelope(&self, folded: &Columns) -> impl Iterator<Item = (Option<Cell>, Option<Cell>)> {
        let layouts = self.envelope.iter().filter(|(record, ..)| folded.starts_with(record.as_bytes()));
        layouts.map(|(_, password, application)| (*password, *application))
    }
}
