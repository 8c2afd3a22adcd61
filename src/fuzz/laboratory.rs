//! Chooses what to do to a batch, and says by the grammar what must become of it.

use std::collections::{HashMap, HashSet};

use super::case::Case;
use super::mutation::{Break, Control, FieldFault, Mutation};
use super::verdict::Expectation;
use crate::generate::Dice;
use crate::grammar::{
    Automaton, ClassSet, ConditionCode, Cursor, Designation, Direction, Field, Grammar, GroupMember, Layout,
    Member, Severity, Structure, Symbol, Values,
};
use crate::host::World;
use crate::message::Identifier;
use crate::wire::{Columns, RECORD_LENGTH};

/// No message becomes longer than this by repeating, in records.
const LONGEST: usize = 600;
/// Conditions of the envelope that no field's line names (batch chapter, B&B-31 to B&B-33).
const NO_BATCH_HEADER: &[&str] = &["X01"];
const NO_BLOCK_HEADER: &[&str] = &["X03"];
const NO_TRANSACTION: &[&str] = &["X04"];
const NO_BLOCK_TRAILER: &[&str] = &["X05"];
const NO_BATCH_TRAILER: &[&str] = &["X06"];
const BATCH_TRAILER_DIFFERS: &[&str] = &["X14"];
const BLOCK_TRAILER_DIFFERS: &[&str] = &["X32"];
const FILLED_FILLER: &[&str] = &["X39"];
const ODD_CHARACTER: &[&str] = &["X40"];

/// Identifiers that no record has.
const NO_RECORDS: [&[u8]; 4] = [b"QQQQ", b"#1", b"99", b"  "];

/// Everything known of one application's messages.
#[derive(Debug)]
pub struct Laboratory<'g> {
    grammar: &'g Grammar,
    application: String,
    direction: Direction,
    automaton: &'g Automaton,
    identifier: Identifier<'g>,
    /// How often places and groups may stand: by the kind of the record that begins them.
    maxima: Vec<(Symbol, u32)>,
    e_manifest: bool,
    /// Lists that neither the grammar nor the demo world holds: nobody can say that a code is not on them.
    unheld: HashSet<&'g str>,
    /// How often something was done to a field or record.
    tried: HashMap<(String, &'static str), u32>,
}

fn unheld(grammar: &Grammar) -> HashSet<&str> {
    let world = World::demo(grammar).ok();
    let is_held = |name: &str| {
        grammar.list(name).is_some() || world.as_ref().is_some_and(|world| world.lists(name, "").is_some())
    };
    let fields = grammar.layouts().iter().flat_map(|layout| &layout.fields);
    let values = fields.flat_map(|field| std::iter::once(&field.values).chain(&field.also));
    let lists = values.filter_map(|values| match values {
        Values::List(name) => Some(name.as_str()),
        _ => None,
    });
    lists.filter(|name| !is_held(name)).collect()
}

impl<'g> Laboratory<'g> {
    /// The laboratory of an application. Returns `None` if no grammar describes it.
    #[must_use]
    pub fn new(grammar: &'g Grammar, application: &str) -> Option<Self> {
        let direction = grammar.application(application).map_or(Direction::Input, |known| known.direction);
        let (structure, automaton) = grammar.structure(application, direction)?;
        let mut maxima = Vec::new();
        collect(structure, automaton, &structure.root, &mut maxima);
        Some(Self {
            grammar,
            application: application.to_owned(),
            direction,
            automaton,
            identifier: Identifier::new(grammar, application, direction, automaton),
            maxima,
            e_manifest: grammar.application(application).is_some_and(|known| known.e_manifest),
            unheld: unheld(grammar),
            tried: HashMap::new(),
        })
    }

    /// The application identifier.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.application
    }

    /// The layout of a record of a batch, control records included.
    #[must_use]
    pub fn layout(&self, rows: &[Columns], row: usize) -> Option<&'g Layout> {
        if (2..rows.len().saturating_sub(2)).contains(&row) {
            return self.identifier.identify(&rows[row]).map(|(_, id)| self.grammar.layout(id));
        }
        let other = if self.e_manifest { "esar" } else { "eman" };
        let record = char::from(rows[row][0]).to_string();
        let mut layouts = self.grammar.variants("*", self.direction, &record);
        layouts.find(|layout| layout.variant != other && is_decided(layout, &rows[row]))
    }

    /// Whether the messages are answers: what must become of an invalid one is the decoder's own business.
    #[must_use]
    pub fn is_one_way(&self) -> bool {
        self.direction == Direction::Output
    }

    /// How many transactions stand between these records.
    #[must_use]
    pub fn transactions(&self, body: &[Columns]) -> u64 {
        let mut count = 0;
        let mut cursor = Cursor::default();
        for row in body {
            let Some((symbol, _)) = self.identifier.identify(row) else { continue };
            let step = cursor.step(self.automaton, symbol);
            count += u64::from(step.is_ok() && cursor.begins());
        }
        count
    }

    /// Chooses what has been done least so far.
    pub fn choose(&mut self, rows: &[Columns], dice: &mut Dice) -> Mutation {
        let mut choices = match dice.below(20) {
            0 => vec![Mutation::Nothing],
            1..=11 => self.field_choices(rows, dice),
            12..=16 => self.structure_choices(rows, dice),
            17 => (0..4).map(|_| self.length_choice(rows, dice)).collect(),
            18 => envelope_choices(rows),
            _ => self.form_choices(rows, dice),
        };
        dice.shuffle(&mut choices);
        let least = choices
            .into_iter()
            .min_by_key(|choice| self.tried.get(&self.key(rows, choice)).copied().unwrap_or_default());
        let chosen = least.unwrap_or(Mutation::Nothing);
        *self.tried.entry(self.key(rows, &chosen)).or_default() += 1;
        chosen
    }

    fn key(&self, rows: &[Columns], mutation: &Mutation) -> (String, &'static str) {
        (self.place(rows, mutation), mutation.kind())
    }

    /// What a mutation is about: record, variant and field.
    #[must_use]
    pub fn place(&self, rows: &[Columns], mutation: &Mutation) -> String {
        let layout = mutation.rows().and_then(|(row, _)| self.layout(rows, row));
        let record = layout.map(|layout| {
            let variant = if layout.variant.is_empty() { "" } else { ":" };
            format!("{}{variant}{}", layout.record, layout.variant)
        });
        match (record, mutation) {
            (Some(record), Mutation::Field { column, .. }) => {
                let field = layout.and_then(|layout| field_at(layout, *column));
                format!("{record}.{}", field.map_or("", |field| &field.name))
            }
            (Some(record), _) => record,
            (None, Mutation::DropControl(control)) => format!("{control:?}"),
            (None, Mutation::Separate(separator)) => format!("{separator:?}"),
            (None, _) => String::new(),
        }
    }

    fn field_choices(&self, rows: &[Columns], dice: &mut Dice) -> Vec<Mutation> {
        let mut choices = Vec::new();
        for row in 0..rows.len() {
            let Some(layout) = self.layout(rows, row) else { continue };
            for field in &layout.fields {
                let tells = field.cell.last_column() <= layout.record.len() || field.decides;
                if !tells {
                    self.faults(rows, row, field, dice, &mut choices);
                }
            }
        }
        choices
    }

    /// What can be wrong with a field.
    fn faults(
        &self,
        rows: &[Columns],
        row: usize,
        field: &Field,
        dice: &mut Dice,
        choices: &mut Vec<Mutation>,
    ) {
        let cell = field.cell;
        let (column, width, class) = (cell.first_column() - 1, cell.width(), cell.class());
        let mut push = |bytes: Vec<u8>, fault| choices.push(Mutation::Field { row, column, bytes, fault });
        let spaces = vec![b' '; width];
        if field.is_filler() {
            let mut filled = spaces;
            filled[dice.below(width)] = b'X';
            return push(filled, FieldFault::FilledFiller);
        }
        let blank = cell.is_blank(&rows[row]);
        if field.designation == Designation::Mandatory && !class.has(ClassSet::SPACE) && !blank {
            push(spaces, FieldFault::Missing);
        }
        if blank && dice.chance(0.5) {
            return;
        }
        let mut odd = cell.raw(&rows[row]).to_vec();
        odd[dice.below(width)] = 0x80 | dice.below(128) as u8;
        push(odd, FieldFault::OddCharacter);
        if field.holds_date() {
            push(wide(b"99", width), FieldFault::NoDate);
        } else if class.is_numeric() {
            let mut wrong = vec![b'1'; width];
            wrong[dice.below(width)] = b'A';
            push(wrong, FieldFault::WrongClass);
            if field.values == Values::Any {
                push(vec![b'0'; width], FieldFault::Zero);
                push(vec![b'9'; width], FieldFault::Largest);
            }
        } else if !class.has(ClassSet::SPECIAL) {
            let sign = if class.has(ClassSet::ALPHANUMERIC) { b"#" } else { b"1" };
            push(wide(sign, width), FieldFault::WrongClass);
        }
        if let Some(bytes) = self.unlisted(field) {
            push(bytes, FieldFault::WrongCode);
        }
        for (check, _) in &field.conditions.checks {
            match check.as_str() {
                "numeric" => push(vec![b'X'; width], FieldFault::NotDigits),
                "entry_number" if !blank => {
                    let mut number = cell.raw(&rows[row]).to_vec();
                    if let Some(digit) = number.last_mut() {
                        *digit = b'0' + (digit.wrapping_sub(b'0') + 5) % 10;
                    }
                    push(number, FieldFault::CheckDigit);
                }
                _ => {}
            }
        }
        let trailer = row >= rows.len() - 2;
        if trailer && !blank && matches!(field.values, Values::Any) && !field.holds_date() {
            push(wide(b"7", width), FieldFault::Disagreeing);
        }
    }

    /// A text of the field's class that is on none of its lists.
    fn unlisted(&self, field: &Field) -> Option<Vec<u8>> {
        if field.values == Values::Any || field.holds_date() {
            return None;
        }
        let is_unheld =
            |values: &Values| matches!(values, Values::List(name) if self.unheld.contains(name.as_str()));
        if field.conditions.unknown.is_some()
            && (is_unheld(&field.values) || field.also.iter().any(is_unheld))
        {
            return None;
        }
        let numeric = field.cell.class().is_numeric();
        let signs: &[u8] = if numeric { b"9876543210" } else { b"QJXZ9875W" };
        let known = |text: &[u8]| {
            std::iter::once(&field.values).chain(&field.also).any(|values| match values {
                Values::Any => true,
                Values::Constant(code) => code.as_bytes() == text,
                Values::OneOf(codes) => codes.iter().any(|code| code.as_bytes() == text),
                Values::List(name) => {
                    let list = self.grammar.list(name);
                    list.is_some_and(|list| list.codes().any(|code| code.as_bytes() == text))
                }
            })
        };
        let texts = signs.iter().map(|sign| vec![*sign; field.cell.width()]);
        texts
            .filter(|text| text.iter().all(|byte| field.cell.class().admits(*byte)))
            .find(|text| !known(text))
    }

    fn structure_choices(&self, rows: &[Columns], dice: &mut Dice) -> Vec<Mutation> {
        let (first, end) = (2, rows.len() - 2);
        let mut choices = Vec::new();
        for (row, columns) in rows.iter().enumerate().take(end).skip(first) {
            let Some((symbol, _)) = self.identifier.identify(columns) else { continue };
            if end - first > 1 {
                choices.push(Mutation::Drop { first: row, end: row + 1 });
                let to = first + dice.below(end - first - 1);
                choices.push(Mutation::Move { from: row, to });
            }
            let identifier = dice.pick(&NO_RECORDS).copied().unwrap_or_default().to_vec();
            choices.push(Mutation::Rename { row, identifier });
            let inside = first + dice.below(end - first);
            choices.push(Mutation::Repeat { first: row, end: (inside + 1).clamp(row + 1, end), times: 1 });
            let known = self.maxima.iter().filter(|(own, _)| *own == symbol);
            for most in known.map(|(_, most)| *most as usize).filter(|most| *most < LONGEST) {
                for times in [most.saturating_sub(1), most] {
                    choices.push(Mutation::Repeat { first: row, end: row + 1, times });
                }
            }
        }
        choices
    }

    fn form_choices(&self, rows: &[Columns], dice: &mut Dice) -> Vec<Mutation> {
        let mut choices = Break::ALL.map(Mutation::Separate).to_vec();
        let row = 2 + dice.below(rows.len() - 4);
        let mut lower = rows[row];
        lower[4..].make_ascii_lowercase();
        // Values that tell records apart are compared as they stand.
        if self.identifier.identify(&lower) == self.identifier.identify(&rows[row]) {
            choices.push(Mutation::LowerCase { row });
        }
        choices
    }

    fn length_choice(&self, rows: &[Columns], dice: &mut Dice) -> Mutation {
        let row = 1 + dice.below(rows.len() - 1);
        match dice.below(3) {
            0 => Mutation::Length { row, length: RECORD_LENGTH + 1 + dice.below(20) },
            1 => Mutation::Length { row, length: 5 + dice.below(RECORD_LENGTH - 5) },
            _ => Mutation::Cut((rows.len() - 1) * (RECORD_LENGTH + 1) - 1 - dice.below(rows.len() * 60)),
        }
    }

    /// What must become of a case.
    #[must_use]
    pub fn expect(&self, case: &Case) -> Expectation {
        let rows = &case.rows;
        let transactions = Some(self.transactions(&rows[2..rows.len() - 2]));
        let valid = Expectation {
            accepted: Some(true),
            whole_envelope: true,
            transactions,
            ..Expectation::default()
        };
        if self.is_one_way() {
            let whole = case.mutation == Mutation::Nothing;
            return if whole { valid } else { Expectation::default() };
        }
        match &case.mutation {
            Mutation::Nothing | Mutation::Separate(_) | Mutation::LowerCase { .. } => valid,
            Mutation::Field { row, column, fault, .. } => {
                self.expect_field(case, *row, *column, *fault, valid)
            }
            Mutation::Drop { .. }
            | Mutation::Repeat { .. }
            | Mutation::Move { .. }
            | Mutation::Rename { .. } => self.expect_structure(case),
            Mutation::Length { length, .. } if *length > RECORD_LENGTH => refused(&[]),
            // A line that ends early goes on with spaces, so that all depends on what they replace.
            Mutation::Length { .. } => Expectation::default(),
            Mutation::EmptyBlock { .. } => refused(NO_TRANSACTION),
            Mutation::DropControl(control) => refused(match control {
                Control::BatchHeader => NO_BATCH_HEADER,
                Control::BlockHeader => NO_BLOCK_HEADER,
                Control::BlockTrailer => NO_BLOCK_TRAILER,
                Control::BatchTrailer => NO_BATCH_TRAILER,
            }),
            Mutation::Cut(_) => refused(&[]),
        }
    }

    fn expect_field(
        &self,
        case: &Case,
        row: usize,
        column: usize,
        fault: FieldFault,
        valid: Expectation,
    ) -> Expectation {
        let body = (2..case.rows.len() - 2).contains(&row);
        let open = Expectation { accepted: None, whole_envelope: body, ..valid };
        // What control records have to do with each other is the host's to know, as who may send is.
        let agreed = |codes: &[&str]| Expectation { by_host: true, ..refused(codes) };
        let last = row + 1 == case.rows.len();
        match fault {
            FieldFault::FilledFiller => return refused(FILLED_FILLER),
            FieldFault::OddCharacter => return refused(ODD_CHARACTER),
            FieldFault::Disagreeing if last => return agreed(BATCH_TRAILER_DIFFERS),
            FieldFault::Disagreeing => return agreed(BLOCK_TRAILER_DIFFERS),
            _ => {}
        }
        let lines = case.lines();
        let mutated = lines[row].first_chunk::<RECORD_LENGTH>();
        if body
            && mutated.and_then(|row| self.identifier.identify(row))
                != self.identifier.identify(&case.rows[row])
        {
            // The field tells what the record is: now it is another one.
            return self.expect_structure(case);
        }
        let field = self.layout(&case.rows, row).and_then(|layout| field_at(layout, column));
        // A smaller case may lack what its structure needs; then the batch is refused as a whole.
        let transactions = open.transactions.filter(|_| self.structure_fault(&lines).is_none());
        let open = Expectation { transactions, ..open };
        let Some(field) = field else { return Expectation { transactions: None, ..open } };
        let own = &field.conditions;
        let check = |name: &str| own.checks.iter().find(|(check, _)| check == name).map(|(_, code)| *code);
        let code = match fault {
            FieldFault::Missing => own.missing,
            FieldFault::WrongClass | FieldFault::NoDate => own.invalid.or(own.unknown),
            FieldFault::WrongCode => own.unknown,
            FieldFault::Zero => own.zero,
            FieldFault::CheckDigit => check("entry_number"),
            FieldFault::NotDigits => check("numeric"),
            _ => None,
        };
        if !body {
            return code.map_or(Expectation { transactions: None, ..open }, |code| agreed(&[code.as_str()]));
        }
        match code.filter(|code| self.is_fatal(*code)) {
            None => open,
            Some(code) => Expectation {
                accepted: Some(false),
                any_of: vec![code.as_str().to_owned()],
                by_host: self.is_judged_by_host(field, fault),
                ..open
            },
        }
    }

    fn is_fatal(&self, code: ConditionCode) -> bool {
        let known = self.grammar.conditions().get(&self.application, code);
        known.is_none_or(|condition| condition.severity == Severity::Fatal)
    }

    /// Whether only a host can know of it, by its reference data.
    fn is_judged_by_host(&self, field: &Field, fault: FieldFault) -> bool {
        let lists = std::iter::once(&field.values).chain(&field.also);
        let held =
            |values: &Values| matches!(values, Values::List(name) if self.grammar.list(name).is_none());
        let listed = fault == FieldFault::WrongCode && lists.into_iter().any(held);
        listed || matches!(fault, FieldFault::Zero | FieldFault::CheckDigit | FieldFault::NotDigits)
    }

    fn expect_structure(&self, case: &Case) -> Expectation {
        match self.structure_fault(&case.lines()) {
            Some(code) => refused(&[code.as_str()]),
            None => Expectation { none_of: self.barely(case), ..Expectation::default() },
        }
    }

    /// The condition of the first fault of structure.
    fn structure_fault(&self, lines: &[Vec<u8>]) -> Option<ConditionCode> {
        let mut cursor = Cursor::default();
        let body = lines.get(2..lines.len().saturating_sub(2)).unwrap_or_default();
        for line in body {
            let row = line.first_chunk::<RECORD_LENGTH>()?;
            let step = match self.identifier.identify(row) {
                Some((symbol, _)) => cursor.step(self.automaton, symbol).map(drop),
                None => Err(cursor.unknown(self.automaton, self.identifier.shown(row))),
            };
            if let Err(fault) = step {
                return Some(fault.condition());
            }
        }
        cursor.finish(self.automaton).err().map(|fault| fault.condition())
    }

    /// The condition that one more repeat would raise, where this many are just right.
    fn barely(&self, case: &Case) -> Vec<String> {
        let Mutation::Repeat { first, end, times } = &case.mutation else { return Vec::new() };
        let (first, end, times) = (*first, *end, times + 1);
        let more = Case { mutation: Mutation::Repeat { first, end, times }, ..case.clone() };
        let code = self.structure_fault(&more.lines());
        code.into_iter().map(|code| code.as_str().to_owned()).collect()
    }

    /// What can be asked of the records of a grammar: records, fields and conditions.
    #[must_use]
    pub fn extent(&self) -> (Vec<&'g Layout>, Vec<String>) {
        let mut layouts = Vec::new();
        for record in self.automaton.records() {
            let ids = self.grammar.layouts_of(&self.application, self.direction, record);
            layouts.extend(ids.into_iter().map(|id| self.grammar.layout(id)));
        }
        let mut codes = Vec::new();
        for field in layouts.iter().flat_map(|layout| &layout.fields) {
            let own = &field.conditions;
            codes.extend([own.missing, own.unknown, own.invalid, own.zero].into_iter().flatten());
            codes.extend(own.checks.iter().map(|(_, code)| *code));
        }
        codes.sort_unstable_by_key(ToString::to_string);
        codes.dedup();
        (layouts, codes.iter().map(ToString::to_string).collect())
    }
}

/// Whether the fields that tell a record's variants apart say that it is of this one.
fn is_decided(layout: &Layout, row: &Columns) -> bool {
    layout.deciding.iter().filter_map(|index| layout.fields.get(*index)).all(|field| {
        let text = field.cell.text(row);
        match &field.values {
            Values::Constant(code) => code == text,
            Values::OneOf(codes) => codes.iter().any(|code| code == text),
            Values::Any | Values::List(_) => true,
        }
    })
}

fn field_at(layout: &Layout, column: usize) -> Option<&Field> {
    layout.fields.iter().find(|field| field.cell.first_column() == column + 1)
}

/// A pattern as often as it fits.
fn wide(pattern: &[u8], width: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(width).collect()
}

fn refused(codes: &[&str]) -> Expectation {
    Expectation {
        accepted: Some(false),
        any_of: codes.iter().map(|code| (*code).to_owned()).collect(),
        ..Expectation::default()
    }
}

fn envelope_choices(rows: &[Columns]) -> Vec<Mutation> {
    let controls = [Control::BatchHeader, Control::BlockHeader, Control::BlockTrailer, Control::BatchTrailer];
    let mut choices = controls.map(Mutation::DropControl).to_vec();
    choices.push(Mutation::EmptyBlock { end: rows.len() - 2 });
    choices
}

/// The maxima of all places and of the groups that they open.
fn collect(
    structure: &Structure,
    automaton: &Automaton,
    group: &GroupMember,
    maxima: &mut Vec<(Symbol, u32)>,
) {
    for (index, member) in group.members.iter().enumerate() {
        match member {
            Member::Record(record) => {
                let mut symbols = automaton.symbols_of(&record.record);
                let own = symbols.find(|(_, mark)| *mark == record.discriminator.as_ref());
                let Some((symbol, _)) = own else { continue };
                maxima.extend(record.maximum.map(|most| (symbol, most)));
                if index == 0 && !std::ptr::eq(group, &structure.root) {
                    maxima.extend(group.maximum.map(|most| (symbol, most)));
                }
            }
            Member::Group(inner) => collect(structure, automaton, inner, maxima),
        }
    }
}
