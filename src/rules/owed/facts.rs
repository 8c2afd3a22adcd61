//! The facts of duty, tax and fees, read from the fields of a transaction: names resolved once.

use std::ops::Range;

use rust_decimal::Decimal;

use crate::grammar::{Automaton, Cell, Direction, Grammar, LayoutId, Symbol, UnknownName};
use crate::message::Transaction;
use crate::model::{Code, Coded, CountryCode, HtsNumber};
use crate::rules::Context;
use crate::tariff::{Amount, CaseFacts, Dates, LineFacts, SummaryFacts, Tariff, TariffFacts, TaxFacts, Zone};
use crate::wire::Columns;

/// The kind of port where small shipments of carriers owe no informal entry fee (usage note (q)).
const EXPRESS_PORT: &str = "express";

/// No line, or no number of one.
const NONE: u32 = u32::MAX;

/// A line's records, and whether the facts in them could be read.
#[derive(Clone, Debug)]
pub(super) struct FiledLine {
    pub(super) records: Range<u32>,
    /// The records of its numbers.
    pub(super) numbers: Vec<u32>,
    pub(super) is_readable: bool,
}

/// The facts of a transaction and where they stand.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    pub(super) facts: SummaryFacts,
    pub(super) lines: Vec<FiledLine>,
    /// The line and the number that a record stands in, counted from 0.
    places: Vec<(u32, u32)>,
}

impl Filed {
    /// The line that a record stands in, and the number that it is.
    pub(super) fn place(&self, record: u32) -> Option<(usize, Option<usize>)> {
        let &(line, number) = self.places.get(record as usize)?;
        (line != NONE).then_some((line as usize, (number != NONE).then_some(number as usize)))
    }

    /// How many records there are.
    pub(super) fn records(&self) -> u32 {
        self.places.len() as u32
    }
}

/// The kinds of records that hold facts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Header,
    Importation,
    Cargo,
    Line,
    Zone,
    Number,
    License,
    Case,
    Declaration,
    Tax,
    Fee,
}

/// The fields that facts are read from.
#[derive(Debug)]
pub(in crate::rules) struct FactCells {
    /// By symbol.
    kinds: Vec<Option<Kind>>,
    /// The first columns of the fields of facts, by symbol.
    columns: Vec<Vec<u8>>,
    entry_type: Cell,
    entry_number: Cell,
    port: Cell,
    mode: Cell,
    consolidated: Cell,
    express: Cell,
    statement: Cell,
    estimated_entry: Cell,
    importation: Cell,
    arrival: Cell,
    in_bond: Cell,
    origin: Cell,
    program: Cell,
    set_role: Cell,
    fee_exemption: Cell,
    zone: [Cell; 2],
    number: Cell,
    value: Cell,
    quantities: [(Cell, Cell); 3],
    license: Cell,
    case: [Cell; 6],
    exclusions: [LayoutId; 2],
    craft: (LayoutId, Cell),
    tax_class: Cell,
    fee_class: Cell,
}

/// Resolves names and remembers their columns.
struct Names<'g> {
    grammar: &'g Grammar,
    automaton: &'g Automaton,
    application: &'g str,
    kinds: Vec<Option<Kind>>,
    columns: Vec<Vec<u8>>,
}

impl Names<'_> {
    fn record(&mut self, record: &str, kind: Kind) -> Result<Symbol, UnknownName> {
        let symbol = self.automaton.symbol(record);
        let symbol = symbol.ok_or_else(|| UnknownName(format!("no record {record}")))?;
        let index = usize::from(symbol.0);
        let length = self.kinds.len().max(index + 1);
        self.kinds.resize(length, None);
        self.columns.resize(length, Vec::new());
        self.kinds[index] = Some(kind);
        Ok(symbol)
    }

    fn cell(&mut self, record: &str, variant: &str, field: &str) -> Result<Cell, UnknownName> {
        let layout = self.grammar.find(self.application, Direction::Input, record, variant)?;
        let cell = layout.cell(field)?;
        if let Some(symbol) = self.automaton.symbol(record) {
            self.columns[usize::from(symbol.0)].push(cell.first_column() as u8);
        }
        Ok(cell)
    }

    fn cells<const N: usize>(&mut self, record: &str, fields: [&str; N]) -> Result<[Cell; N], UnknownName> {
        let mut cells = Vec::with_capacity(N);
        for field in fields {
            cells.push(self.cell(record, "", field)?);
        }
        cells.try_into().map_err(|_| UnknownName(record.to_owned()))
    }

    /// A field that is compared with what is owed, and so no fact.
    fn declared(&self, record: &str, field: &str) -> Result<Cell, UnknownName> {
        self.grammar.find(self.application, Direction::Input, record, "")?.cell(field)
    }
}

impl FactCells {
    pub(in crate::rules) fn new(
        grammar: &Grammar,
        automaton: &Automaton,
        application: &str,
    ) -> Result<Self, UnknownName> {
        let mut names = Names { grammar, automaton, application, kinds: Vec::new(), columns: Vec::new() };
        for (record, kind) in [
            ("10", Kind::Header),
            ("11", Kind::Importation),
            ("20", Kind::Cargo),
            ("40", Kind::Line),
            ("41", Kind::Zone),
            ("50", Kind::Number),
            ("52", Kind::License),
            ("53", Kind::Case),
            ("54", Kind::Declaration),
            ("60", Kind::Tax),
            ("62", Kind::Fee),
        ] {
            names.record(record, kind)?;
        }
        let layout = |variant| grammar.find(application, Direction::Input, "54", variant).map(|one| one.id);
        let quantity = |names: &mut Names<'_>, place: usize| {
            let field = |name: &str| format!("{name}_{place}");
            let amount = names.cell("50", "", &field("quantity"))?;
            Ok::<_, UnknownName>((amount, names.cell("50", "", &field("unit_of_measure_code"))?))
        };
        Ok(Self {
            entry_type: names.cell("10", "", "entry_type_code")?,
            entry_number: names.declared("10", "entry_number")?,
            port: names.declared("10", "district_port_of_entry")?,
            mode: names.cell("10", "", "mot_code")?,
            consolidated: names.cell("10", "", "consolidated_summary_indicator")?,
            express: names.cell("10", "", "consolidated_express_informal_indicator")?,
            statement: names.cell("10", "", "preliminary_statement_print_date")?,
            estimated_entry: names.cell("11", "", "estimated_entry_date")?,
            importation: names.cell("11", "", "date_of_importation")?,
            arrival: names.cell("20", "", "estimated_date_of_arrival")?,
            in_bond: names.cell("20", "", "in_bond_in_transit_date")?,
            origin: names.cell("40", "", "country_of_origin_code")?,
            program: names.cell("40", "", "trade_agreement_special_program_claim_code")?,
            set_role: names.cell("40", "", "article_set_indicator")?,
            fee_exemption: names.cell("40", "", "fee_exemption_code")?,
            zone: names
                .cells("41", ["ftz_merchandise_status_code", "privileged_ftz_merchandise_filing_date"])?,
            number: names.cell("50", "", "hts_number")?,
            value: names.cell("50", "", "value_of_goods_amount")?,
            quantities: [quantity(&mut names, 1)?, quantity(&mut names, 2)?, quantity(&mut names, 3)?],
            license: names.cell("52", "", "license_certificate_permit_type_code")?,
            case: names.cells(
                "53",
                [
                    "case_number",
                    "bond_cash_claim_code",
                    "case_deposit_rate",
                    "case_rate_type_qualifier_code",
                    "ad_cvd_value_of_goods_amount",
                    "ad_cvd_quantity",
                ],
            )?,
            exclusions: [layout("iad_02")?, layout("iad_03")?],
            craft: (layout("iad_05")?, names.cell("54", "iad_05", "ttb_tax_rate_confirmation")?),
            tax_class: names.cell("60", "", "accounting_class_code")?,
            fee_class: names.declared("62", "accounting_class_code")?,
            kinds: names.kinds,
            columns: names.columns,
        })
    }

    /// The first columns of the fields of a record that facts are read from.
    pub(super) fn columns(&self, symbol: Symbol) -> &[u8] {
        self.columns.get(usize::from(symbol.0)).map_or(&[], Vec::as_slice)
    }

    /// Whether there is a fee of a class among some records.
    pub(super) fn declares_fee(
        &self,
        transaction: &Transaction,
        mut records: Range<u32>,
        class: &str,
    ) -> bool {
        records.any(|record| {
            self.kind(transaction.nodes()[record as usize].symbol) == Some(Kind::Fee)
                && self.fee_class.holds(&transaction.rows()[record as usize], class)
        })
    }

    fn kind(&self, symbol: Symbol) -> Option<Kind> {
        self.kinds.get(usize::from(symbol.0)).copied().flatten()
    }

    /// The facts; none if the header cannot be read.
    pub(super) fn read(
        &self,
        transaction: &Transaction,
        context: &Context<'_>,
        tariff: &Tariff,
    ) -> Option<Filed> {
        let facts = SummaryFacts {
            entry_type: None,
            mode: None,
            dates: Dates::received(context.today),
            consolidated: false,
            consolidated_express: false,
            express_port: false,
            manual: false,
            lines: Vec::new(),
        };
        let places = vec![(NONE, NONE); transaction.rows().len()];
        let filed = Filed { facts, lines: Vec::new(), places };
        let mut reader = Reader { cells: self, transaction, tariff, filed, craft_rate: None };
        for (record, row) in (0..).zip(transaction.rows()) {
            let node = &transaction.nodes()[record as usize];
            let line = reader.filed.lines.last().filter(|line| line.records.contains(&record));
            if line.is_some() {
                reader.filed.places[record as usize].0 = reader.filed.lines.len() as u32 - 1;
            }
            let read = match self.kind(node.symbol) {
                None => continue,
                Some(Kind::Header) => reader.header(row, context),
                Some(Kind::Importation) => reader.importation(row),
                Some(Kind::Cargo) => reader.cargo(row),
                Some(Kind::Line) => reader.line(record, row),
                Some(kind) => reader.part(kind, node.layout, record, row),
            };
            if read.is_none() {
                reader.filed.lines.last_mut()?.is_readable = false;
            }
        }
        Some(reader.filed)
    }
}

struct Reader<'a> {
    cells: &'a FactCells,
    transaction: &'a Transaction,
    tariff: &'a Tariff,
    filed: Filed,
    /// The rate of tax that the line claims.
    craft_rate: Option<Decimal>,
}

// Each of these gives nothing where a field holds what no fact can be.
impl Reader<'_> {
    fn header(&mut self, row: &Columns, context: &Context<'_>) -> Option<()> {
        let (cells, facts) = (self.cells, &mut self.filed.facts);
        facts.entry_type = code(cells.entry_type, row)?;
        facts.mode = code(cells.mode, row)?;
        facts.dates.statement = cells.statement.date(row).ok()?;
        facts.consolidated = !cells.consolidated.is_blank(row);
        facts.consolidated_express = !cells.express.is_blank(row);
        let released = context.reference.value("named_release", cells.entry_number.text(row), "released");
        facts.dates.release = released.and_then(|day| day.parse().ok());
        let kinds = context.reference.value("schedule_d", cells.port.text(row), "kinds");
        facts.express_port = kinds.is_some_and(|kinds| kinds.split(' ').any(|kind| kind == EXPRESS_PORT));
        Some(())
    }

    fn importation(&mut self, row: &Columns) -> Option<()> {
        let dates = &mut self.filed.facts.dates;
        dates.estimated_entry = self.cells.estimated_entry.date(row).ok()?;
        dates.importation = self.cells.importation.date(row).ok()?;
        Some(())
    }

    fn cargo(&mut self, row: &Columns) -> Option<()> {
        let dates = &mut self.filed.facts.dates;
        dates.arrival = self.cells.arrival.date(row).ok()?;
        dates.in_bond = self.cells.in_bond.date(row).ok()?;
        Some(())
    }

    fn line(&mut self, record: u32, row: &Columns) -> Option<()> {
        let (cells, filed) = (self.cells, &mut self.filed);
        let group = self.transaction.nodes()[record as usize].group;
        let records = record..self.transaction.groups()[group as usize].end;
        filed.places[record as usize].0 = filed.lines.len() as u32;
        filed.lines.push(FiledLine { records, numbers: Vec::with_capacity(4), is_readable: true });
        self.craft_rate = None;
        let origin = code::<CountryCode>(cells.origin, row).flatten();
        // What stands in the place of an origin that cannot be read is of no matter.
        let stands = CountryCode::new("US").ok();
        filed.facts.lines.push(LineFacts::new(origin.or(stands)?, Vec::with_capacity(4)));
        let line = filed.facts.lines.last_mut()?;
        line.program = code(cells.program, row)?;
        line.set_role = code(cells.set_role, row)?;
        line.agricultural_exempt = !cells.fee_exemption.is_blank(row);
        origin.map(|_| ())
    }

    fn part(&mut self, kind: Kind, layout: LayoutId, record: u32, row: &Columns) -> Option<()> {
        let (cells, tariff) = (self.cells, self.tariff);
        let line = self.filed.facts.lines.last_mut()?;
        match kind {
            Kind::Number => {
                self.filed.places[record as usize].1 = line.tariffs.len() as u32;
                self.filed.lines.last_mut()?.numbers.push(record);
                let mut facts =
                    TariffFacts::new(code::<HtsNumber>(cells.number, row)??, number(cells.value, row)?);
                for (place, (amount, unit)) in facts.quantities.iter_mut().zip(cells.quantities) {
                    *place = match amount.decimal(row).ok()? {
                        Some(amount) => Some(Amount { amount, unit: code(unit, row)? }),
                        None => None,
                    };
                }
                line.tariffs.push(facts);
            }
            Kind::Zone => {
                let [status, filed] = cells.zone;
                line.zone = match code(status, row)? {
                    Some(status) => Some(Zone { status, filed: filed.date(row).ok()? }),
                    None => None,
                };
            }
            Kind::License => {
                let frees = |license: Code<2>| tariff.frees_of_assessments(license);
                line.agricultural_exempt |= code(cells.license, row)?.is_some_and(frees);
            }
            Kind::Case => {
                let [case, security, rate, kind, value, quantity] = cells.case;
                let reported = |amount: Decimal| Some(amount).filter(|amount| !amount.is_zero());
                line.cases.push(CaseFacts {
                    number: code(case, row)??,
                    security: code(security, row)??,
                    rate: number(rate, row)?,
                    kind: code(kind, row)??,
                    value: reported(number(value, row)?),
                    quantity: reported(number(quantity, row)?),
                });
            }
            Kind::Declaration if cells.exclusions.contains(&layout) => line.excluded = true,
            Kind::Declaration if layout == cells.craft.0 => {
                self.craft_rate = Some(number(cells.craft.1, row)?);
            }
            Kind::Tax => {
                let class = code(cells.tax_class, row)??;
                let craft_rate = self.craft_rate;
                line.tax = Some(TaxFacts { class, category: None, craft_rate, quantity: None });
            }
            _ => {}
        }
        Some(())
    }
}

/// A code, if one is given; nothing if there is none of that text.
fn code<T: Coded>(cell: Cell, row: &Columns) -> Option<Option<T>> {
    match cell.raw(row).trim_ascii() {
        b"" => Some(None),
        text => T::from_bytes(text).map(Some),
    }
}

/// A number, zero if it is blank.
fn number(cell: Cell, row: &Columns) -> Option<Decimal> {
    cell.decimal(row).ok().map(Option::unwrap_or_default)
}
