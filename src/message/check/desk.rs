//! The applications that a stream names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::grammar::{Automaton, Direction, Grammar};
use crate::message::identify::Identifier;

/// An application and what its records are known by, if they are.
#[derive(Debug)]
pub(super) struct Desk<'g> {
    pub(super) code: String,
    pub(super) direction: Direction,
    pub(super) e_manifest: bool,
    records: Option<(Identifier<'g>, &'g Automaton)>,
}

impl<'g> Desk<'g> {
    fn new(grammar: &'g Grammar, code: String) -> Self {
        let known = grammar.application(&code);
        let direction = known.map_or(Direction::Output, |application| application.direction);
        let records = grammar
            .structure(&code, direction)
            .map(|(_, automaton)| (Identifier::new(grammar, &code, direction, automaton), automaton));
        Self { direction, e_manifest: known.is_some_and(|application| application.e_manifest), records, code }
    }

    /// The records and their order.
    #[inline]
    pub(super) fn records(&self) -> Option<(&Identifier<'g>, &'g Automaton)> {
        self.records.as_ref().map(|(identifier, automaton)| (identifier, *automaton))
    }
}

/// The desks that have been made so far.
#[derive(Debug)]
pub(super) struct Desks<'g> {
    grammar: &'g Grammar,
    known: HashMap<String, Arc<Desk<'g>>, foldhash::fast::FixedState>,
}

impl<'g> Desks<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Self {
        Self { grammar, known: HashMap::default() }
    }

    /// The desk of an application. That of one whose records no one knows is not kept: a stream may name
    /// any number of them.
    pub(super) fn of(&mut self, code: &str) -> Arc<Desk<'g>> {
        if let Some(desk) = self.known.get(code) {
            return Arc::clone(desk);
        }
        let desk = Arc::new(Desk::new(self.grammar, code.to_owned()));
        if desk.records.is_some() {
            self.known.insert(code.to_owned(), Arc::clone(&desk));
        }
        desk
    }
}
