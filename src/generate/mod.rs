//! Valid synthetic batches of any application, the same for the same seed.
//!
//! The grammar says all: the map of an application's transactions, the layouts of its records, the lists of
//! its codes. What it cannot say of single fields stands in the table `generated_values`, and what hangs
//! together in a transaction is learnt from the application's rules. Reference data comes from a [`World`].
//! A number of transactions are made that way and then copied with numbers of their own.
//!
//! Nothing here reads a clock or a file.

mod dice;
mod envelope;
mod mend;
mod recipe;
mod template;
mod trial;
mod value;
mod workshop;

use jiff::Zoned;
use jiff::civil::Date;

pub use dice::Dice;

use crate::grammar::{Direction, Grammar, UnknownName};
use crate::host::{HostError, LocalPeer, Peer, World};
use crate::message::Checker;
use crate::rules::{BlockInfo, RuleBook};
use crate::wire::{Columns, Line, RECORD_LENGTH};

use envelope::{Envelope, Transmitter};
use template::Template;
use trial::Trial;
use workshop::{Plan, Workshop};

/// How many transactions are drawn for one that is kept, at most.
const ATTEMPTS: usize = 200;
/// Entry numbers have so many values.
const NUMBERS: u64 = 10_000_000;
/// The day of a world whose clock does not stand still, unless one is named.
const DAY: Date = jiff::civil::date(2026, 8, 3);

/// What to generate.
#[derive(Clone, Debug)]
pub struct Specification {
    /// The application identifier.
    pub application: String,
    /// What decides all choices.
    pub seed: u64,
    /// The day of transmission; the world's if it stands still, or else one that is fixed.
    pub date: Option<Date>,
    /// What stands behind each record.
    pub separator: Vec<u8>,
    /// How many different transactions there are, before they are copied.
    pub variety: usize,
    /// The password of the world's sender that is to transmit.
    pub password: String,
}

/// Why nothing can be generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// No grammar describes the application's transactions.
    #[error("no grammar has a structure for application {0:?}")]
    Application(String),
    /// The table of values says something that no one understands.
    #[error("generated_values: {content:?} cannot be read")]
    Recipe {
        /// What it says.
        content: String,
    },
    /// No transaction could be made that nothing is found wrong with.
    #[error("no valid transaction of {application} after {attempts} attempts: {reason}")]
    NoneValid {
        /// The application.
        application: String,
        /// How many were made.
        attempts: usize,
        /// What was wrong with the last one.
        reason: String,
    },
    /// The grammar lacks an envelope.
    #[error(transparent)]
    Grammar(#[from] UnknownName),
    /// The host cannot work.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// Makes the batches of one specification.
pub struct Generator<'g> {
    envelope: Envelope<'g>,
    templates: Vec<Template>,
    /// The transactions the templates are of.
    transactions: Vec<Vec<Columns>>,
    separator: Vec<u8>,
    dice: Dice,
    number: u64,
    /// The template that is copied next.
    next: usize,
    /// How many transactions a block may have.
    most: usize,
}

impl<'g> Generator<'g> {
    /// A generator with its transactions ready to be copied.
    ///
    /// # Errors
    /// There is no such application, or nothing valid can be made of it.
    pub fn new(
        grammar: &'g Grammar,
        world: &'g World,
        wanted: &Specification,
    ) -> Result<Self, GenerateError> {
        let unknown = || GenerateError::Application(wanted.application.clone());
        let application = grammar.application(&wanted.application).ok_or_else(unknown)?;
        let structure = grammar.structure(&application.code, application.direction).ok_or_else(unknown)?;
        let mut dice = Dice::new(wanted.seed);
        let date = wanted.date.or(world.clock().map(Zoned::date)).unwrap_or(DAY);
        let permit = application.national_permit_required;
        let (transmitter, block) = parties(world, &application.code, permit, &wanted.password, &mut dice);
        let envelope = Envelope::new(grammar, world, application, transmitter, &block, date);
        let mut workshop = Workshop::new(grammar, world, structure, block, date)?;
        let number = dice.between(0, NUMBERS as i64 - 1).unsigned_abs();
        let mut generator = Self {
            envelope,
            templates: Vec::new(),
            transactions: Vec::new(),
            separator: wanted.separator.clone(),
            dice,
            number,
            next: 0,
            most: structure.0.root.maximum.map_or(usize::MAX, |most| most as usize),
        };
        let input = application.direction == Direction::Input;
        let ruled = input && RuleBook::judges(&application.code);
        let book = if ruled { Some(RuleBook::builtin(grammar).map_err(HostError::from)?) } else { None };
        let mut trial = match &book {
            Some(_) => Some(Trial::new(grammar, world, date)?),
            None => None,
        };
        for index in 0..wanted.variety.max(1) {
            generator.add(&workshop, book.as_ref(), trial.as_mut(), index)?;
            workshop.remember(&generator.transactions[index]);
        }
        Ok(generator)
    }

    fn add(
        &mut self,
        workshop: &Workshop<'_>,
        book: Option<&RuleBook>,
        mut trial: Option<&mut Trial<'_>>,
        index: usize,
    ) -> Result<(), GenerateError> {
        let mut reason = String::new();
        for attempt in 0..ATTEMPTS {
            let plan = plan(index + attempt, book.is_some(), &mut self.dice);
            let mut rows = workshop.transaction(plan, &mut self.dice);
            if !workshop.is_whole(&rows) {
                reason = "structure".to_owned();
                continue;
            }
            if let Some(book) = book {
                let Some(mended) = workshop.mend(book, rows, &mut self.dice) else {
                    reason = "rules".to_owned();
                    continue;
                };
                rows = mended;
            }
            let template = Template::new(workshop, &rows, &self.separator);
            let (before, number) = (self.templates.len(), self.number);
            self.templates.push(template);
            let found = self.trouble(before, workshop.grammar, trial.as_deref_mut());
            self.number = number;
            match found {
                None => {
                    self.transactions.push(rows);
                    return Ok(());
                }
                Some(found) => reason = found,
            }
            self.templates.truncate(before);
        }
        let application = workshop.structure.application.clone();
        Err(GenerateError::NoneValid { application, attempts: ATTEMPTS, reason })
    }

    /// What is wrong with two copies of a template.
    fn trouble(
        &mut self,
        template: usize,
        grammar: &Grammar,
        trial: Option<&mut Trial<'_>>,
    ) -> Option<String> {
        let mut batch = Vec::new();
        self.write_batch(&[template, template][..2.min(self.most)], &mut batch);
        let rows = self.rows(&batch);
        let mut found = None;
        let mut checker = Checker::new(grammar, None);
        let mut report = |finding: crate::message::Finding| {
            found.get_or_insert_with(|| finding.to_string());
        };
        for (columns, number) in rows.iter().zip(1..) {
            let line = Line { columns, number, offset: 0, length: RECORD_LENGTH, defect: None };
            checker.line(&line, &mut report);
        }
        checker.finish(&mut report);
        found.or_else(|| trial?.refusal(rows))
    }

    fn rows(&self, batch: &[u8]) -> Vec<Columns> {
        let rows = batch.chunks(RECORD_LENGTH + self.separator.len());
        rows.filter_map(|row| row.first_chunk::<RECORD_LENGTH>().copied()).collect()
    }

    /// The different transactions that are copied, in the order they were made.
    #[must_use]
    pub fn transactions(&self) -> &[Vec<Columns>] {
        &self.transactions
    }

    /// Writes one batch of so many transactions behind what the buffer holds, each different transaction in
    /// turn; of fewer if the application takes no more in a block. Gives their number.
    pub fn batch(&mut self, transactions: usize, out: &mut Vec<u8>) -> usize {
        let transactions = transactions.min(self.most);
        let first = self.next;
        self.next = (first + transactions) % self.templates.len();
        let chosen = (first..first + transactions).map(|index| index % self.templates.len());
        self.write_batch(&chosen.collect::<Vec<_>>(), out);
        transactions
    }

    /// Writes a batch of the transactions with these numbers, each once, whatever the seed says.
    pub fn batch_of(&mut self, transactions: &[usize], out: &mut Vec<u8>) {
        let known = transactions.iter().copied().filter(|index| *index < self.templates.len());
        let known = known.collect::<Vec<_>>();
        self.write_batch(&known, out);
    }

    fn write_batch(&mut self, chosen: &[usize], out: &mut Vec<u8>) {
        let records = chosen.iter().map(|index| self.templates[*index].records).sum();
        for header in ["A", "B"] {
            self.write_control(header, records, out);
        }
        for index in chosen {
            self.templates[*index].write(&mut self.number, out);
        }
        for trailer in ["Y", "Z"] {
            self.write_control(trailer, records, out);
        }
    }

    fn write_control(&mut self, record: &str, records: usize, out: &mut Vec<u8>) {
        if let Some(row) = self.envelope.row(record, records, &mut self.dice) {
            out.extend_from_slice(&row);
            out.extend_from_slice(&self.separator);
        }
    }
}

/// How much a transaction has. The first has the least and the second the most, so that nothing is left
/// out; where rules forbid most of what could stand together, little is drawn and the rules ask for more.
fn plan(index: usize, ruled: bool, dice: &mut Dice) -> Plan {
    let mut share = |most: i64| dice.between(0, most) as f64 / 100.0;
    match (index, ruled) {
        (0, _) => Plan::LEAST,
        (1, false) => Plan::MOST,
        (_, false) => Plan { records: share(100), fields: share(100), repeats: share(50), unseen: 0.9 },
        (_, true) if index % 3 == 2 => {
            Plan { records: share(80), fields: share(20), repeats: share(30), unseen: 0.0 }
        }
        (_, true) => Plan { records: share(35), fields: share(20), repeats: share(60), unseen: 0.0 },
    }
}

/// The sender with the password, a filer it transmits for and one of that filer's ports. Who transmits an
/// application that no one is set up for is of no matter.
fn parties(
    world: &World,
    application: &str,
    permit: bool,
    password: &str,
    dice: &mut Dice,
) -> (Transmitter, BlockInfo) {
    let knows = |sender: &&crate::host::SenderProfile| {
        LocalPeer.knows_password(sender.password_hash(), password.as_bytes())
    };
    let sender = world.senders().iter().find(knows).or(world.senders().first());
    let Some(sender) = sender else {
        let transmitter =
            Transmitter { site: "2704".to_owned(), id: "EEE".to_owned(), password: password.to_owned() };
        let block = BlockInfo { port: "2704".to_owned(), filer: "EEE".to_owned(), ..BlockInfo::default() };
        return (transmitter, block);
    };
    let filers = sender.filers().iter().filter_map(|code| Some((code, world.filer(code)?)));
    let (able, others) = filers.partition::<Vec<_>, _>(|(_, filer)| filer.may_file(application, permit));
    let (filer, ports) = match dice.pick(&able).or(others.first()) {
        Some((code, filer)) => ((*code).clone(), filer.ports()),
        None => ("EEE".to_owned(), &[][..]),
    };
    let port = dice.pick(ports).cloned().unwrap_or_else(|| sender.site().to_owned());
    let transmitter = Transmitter {
        site: sender.site().to_owned(),
        id: sender.id().to_owned(),
        password: password.to_owned(),
    };
    (transmitter, BlockInfo { port, filer, ..BlockInfo::default() })
}
