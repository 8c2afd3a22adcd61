//! What a transaction owes, for rules that compare it with what is declared.
//!
//! The figures are computed once a transaction, when a rule first asks for one, by the duty engine and
//! the tariff of the one who judges. A figure belongs to where it is asked for: at a tariff number to that
//! number, anywhere else in a line to the line, outside of lines to the summary.

mod facts;

use std::cell::OnceCell;
use std::ops::Range;

use rust_decimal::Decimal;

use super::Context;
use super::expression::Spot;
use super::fields::Spoiled;
use crate::message::Transaction;
use crate::model::Code;
use crate::tariff::{Article, Assessment, Owed as Amount, Problem, ProblemKind, Rate, Tariff};

pub(super) use facts::FactCells;
use facts::Filed;

/// Figures by the names that rules have for them, and whether they ask for an accounting class.
pub(super) const FIGURES: [(&str, Figure, bool); 11] = [
    ("duty", Figure::Duty, false),
    ("tax", Figure::Tax, false),
    ("tax_class", Figure::TaxClass, false),
    ("fee", Figure::Fee, true),
    ("fee_of_lines", Figure::FeeOfLines, true),
    ("missing_fees", Figure::MissingFees, false),
    ("missing_assessments", Figure::MissingAssessments, false),
    ("problems", Figure::Problems, false),
    ("programs", Figure::Programs, false),
    ("unit_2", Figure::Unit(1), false),
    ("unit_3", Figure::Unit(2), false),
];

/// Something that is computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Figure {
    /// Duty.
    Duty,
    /// Internal revenue tax.
    Tax,
    /// The class of the tax that the numbers bear.
    TaxClass,
    /// The fee of a class; of the summary that within its bounds.
    Fee,
    /// The sum of the lines' fees of a class.
    FeeOfLines,
    /// Classes of fees that a line owes and does not declare.
    MissingFees,
    /// The same, of agricultural assessments alone.
    MissingAssessments,
    /// Words for what stands in the way of the computation, or does not fit together.
    Problems,
    /// The marks in the special column of a number.
    Programs,
    /// The unit of a further quantity of a number.
    Unit(usize),
}

/// A figure's value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Computed {
    Undecided,
    Blank,
    Number(Decimal),
    Text(String),
}

/// What could be computed of a line, or of the summary.
#[derive(Clone, Debug, Default)]
struct Known {
    duty: bool,
    tax: bool,
    fees: bool,
    /// Its problems, a part of all.
    problems: Range<usize>,
}

/// What one transaction owes, computed when it is first asked for.
pub(super) struct Owed<'a> {
    transaction: &'a Transaction,
    context: &'a Context<'a>,
    cells: Option<&'a FactCells>,
    assessed: OnceCell<Option<Assessed>>,
}

/// What was computed. The tariff is passed to what needs it, so that this borrows nothing.
struct Assessed {
    filed: Filed,
    assessment: Assessment,
    /// By line.
    known: Vec<Known>,
    total: Known,
}

/// Where a figure is asked for: the line, and the number if it is one; nothing for the summary.
type At = Option<(usize, Option<usize>)>;

impl<'a> Owed<'a> {
    pub(super) fn new(
        transaction: &'a Transaction,
        context: &'a Context<'a>,
        cells: Option<&'a FactCells>,
    ) -> Self {
        Self { transaction, context, cells, assessed: OnceCell::new() }
    }

    /// The columns of the fields of a record that figures depend on.
    pub(super) fn fact_columns(&self, record: u32) -> &[u8] {
        let symbol = self.transaction.nodes()[record as usize].symbol;
        self.cells.map_or(&[], |cells| cells.columns(symbol))
    }

    /// A figure where a record stands. What depends on a field that has failed is undecided.
    pub(super) fn figure(
        &self,
        figure: Figure,
        class: Option<&str>,
        at: Spot,
        spoiled: &Spoiled,
    ) -> Computed {
        let Some(tariff) = self.context.reference.tariff() else { return Computed::Undecided };
        let Some(assessed) = self.assessed.get_or_init(|| self.assess(tariff)) else {
            return Computed::Undecided;
        };
        let at = assessed.filed.place(at.record);
        let range = assessed.depends_on(figure, at);
        if !spoiled.is_empty() && range.into_iter().flatten().any(|record| self.is_spoiled(record, spoiled)) {
            return Computed::Undecided;
        }
        match figure {
            Figure::Duty => assessed.duty(at),
            Figure::Tax => assessed.tax(at),
            Figure::TaxClass => assessed.tax_class(tariff, at),
            Figure::Fee | Figure::FeeOfLines => match class.map(Code::new) {
                Some(Ok(class)) => assessed.fee(tariff, figure, at, class),
                _ => Computed::Blank,
            },
            Figure::MissingFees | Figure::MissingAssessments => self.missing(assessed, tariff, figure, at),
            Figure::Problems => assessed.problems(tariff, at),
            Figure::Programs => assessed.article(tariff, at).map_or(Computed::Undecided, |article| {
                words(article.specials().map(|(mark, _)| mark.to_string()))
            }),
            Figure::Unit(unit) => assessed.article(tariff, at).map_or(Computed::Undecided, |article| {
                article.units()[unit].map_or(Computed::Blank, |unit| Computed::Text(unit.to_string()))
            }),
        }
    }

    fn assess(&self, tariff: &Tariff) -> Option<Assessed> {
        let filed = self.cells?.read(self.transaction, self.context, tariff)?;
        let assessment = tariff.assess(&filed.facts);
        let mut known = Vec::with_capacity(filed.lines.len());
        let mut next = 0;
        for (index, line) in filed.lines.iter().enumerate() {
            let first = next;
            let own = |problem: &&Problem| problem.line == Some(index);
            next += assessment.problems[first..].iter().take_while(own).count();
            known.push(Known::of(&assessment.problems, first..next, line.is_readable));
        }
        let mut total = Known::of(&assessment.problems, next..assessment.problems.len(), true);
        for line in &known {
            total.duty &= line.duty;
            total.tax &= line.tax;
            total.fees &= line.fees;
        }
        Some(Assessed { filed, assessment, known, total })
    }

    fn is_spoiled(&self, record: u32, spoiled: &Spoiled) -> bool {
        self.fact_columns(record).iter().any(|&column| spoiled.contains(&(record, column)))
    }

    /// Classes of fees that a line owes and does not declare.
    fn missing(&self, assessed: &Assessed, tariff: &Tariff, figure: Figure, at: At) -> Computed {
        let (Some((line, _)), Some(cells)) = (at, self.cells) else { return Computed::Blank };
        if !assessed.known[line].fees {
            return Computed::Undecided;
        }
        let levies = tariff.levies();
        let records = &assessed.filed.lines[line].records;
        let missing = assessed.assessment.lines[line].fees.iter().filter(|fee| {
            (figure == Figure::MissingFees || levies.is_agricultural(fee.class))
                && !fee.amount.is_zero()
                && !cells.declares_fee(self.transaction, records.clone(), fee.class.as_str())
        });
        words(missing.map(|fee| fee.class.to_string()))
    }
}

impl Known {
    fn of(problems: &[Problem], range: Range<usize>, is_readable: bool) -> Self {
        let mut known =
            Self { duty: is_readable, tax: is_readable, fees: is_readable, problems: range.clone() };
        for problem in problems[range].iter().filter(|problem| problem.kind.leaves_unverified()) {
            match problem.kind {
                ProblemKind::TooLarge => (known.duty, known.tax, known.fees) = (false, false, false),
                ProblemKind::TaxUnknown(_) => known.tax = false,
                ProblemKind::FeeUnknown(..) => known.fees = false,
                // a quantity or a rate may have been one of duty or of an assessment
                _ if problem.tariff.is_some() => (known.duty, known.fees) = (false, false),
                _ => known.tax = false,
            }
        }
        known
    }
}

impl Assessed {
    /// The records that a figure depends on: those before the lines, and those of the line.
    fn depends_on(&self, figure: Figure, at: At) -> [Range<u32>; 3] {
        let first = self.filed.lines.first().map_or(0, |line| line.records.start);
        match at.map(|(line, number)| (&self.filed.lines[line], number)) {
            None => [0..self.filed.records(), 0..0, 0..0],
            // what is wrong with a number is told whatever is wrong with its neighbours
            Some((line, Some(number))) if figure == Figure::Problems => {
                let record = line.numbers[number];
                [0..first, line.records.start..line.numbers[0], record..record + 1]
            }
            Some((line, _)) => [0..first, line.records.clone(), 0..0],
        }
    }

    fn duty(&self, at: At) -> Computed {
        let Some((line, number)) = at else {
            let total = self.assessment.totals.duty;
            return if self.total.duty { Computed::Number(total) } else { Computed::Undecided };
        };
        let owed = &self.assessment.lines[line];
        if !self.known[line].duty {
            return Computed::Undecided;
        }
        let of_number = number.and_then(|number| owed.duties.get(number).copied());
        Computed::Number(of_number.unwrap_or_else(|| owed.duty()))
    }

    fn tax(&self, at: At) -> Computed {
        match at {
            None if self.total.tax => Computed::Number(self.assessment.totals.tax),
            Some((line, _)) if self.known[line].tax => {
                let tax = self.assessment.lines[line].tax;
                tax.map_or(Computed::Blank, |tax| Computed::Number(tax.amount))
            }
            _ => Computed::Undecided,
        }
    }

    fn tax_class(&self, tariff: &Tariff, at: At) -> Computed {
        let Some((line, number)) = at else { return Computed::Blank };
        let numbers = self.filed.facts.lines[line].tariffs.iter().enumerate();
        let mut numbers = numbers.filter(|(place, _)| number.is_none_or(|number| *place == number));
        let date = self.filed.facts.dates.fee();
        let levy = numbers.find_map(|(_, facts)| tariff.levies().taxed(facts.number.as_str(), date));
        levy.map_or(Computed::Blank, |levy| Computed::Text(levy.class.to_string()))
    }

    fn fee(&self, tariff: &Tariff, figure: Figure, at: At, class: Code<3>) -> Computed {
        let find = |fees: &[Amount]| fees.iter().find(|fee| fee.class == class).map(|fee| fee.amount);
        let (is_known, found) = match at {
            Some((line, _)) => (self.known[line].fees, find(&self.assessment.lines[line].fees)),
            None if figure == Figure::Fee => (self.total.fees, find(&self.assessment.fee_totals)),
            None => {
                let lines = self.assessment.lines.iter().filter_map(|line| find(&line.fees));
                (self.total.fees, lines.reduce(|sum, fee| sum + fee))
            }
        };
        match found {
            _ if !is_known || !tariff.levies().knows(class) => Computed::Undecided,
            Some(fee) => Computed::Number(fee),
            // a small fee is waived only where nothing else is due
            None if self.total.duty && self.total.tax => Computed::Blank,
            None => Computed::Undecided,
        }
    }

    fn article<'t>(&self, tariff: &'t Tariff, at: At) -> Option<Article<'t>> {
        let (line, number) = at?;
        let line = &self.filed.facts.lines[line];
        let number = line.tariffs.get(number?)?.number;
        tariff.schedule().find(number, tariff.duty_date(&self.filed.facts, line))
    }

    fn problems(&self, tariff: &Tariff, at: At) -> Computed {
        let (known, number) = match at {
            Some((line, number)) => (&self.known[line], number),
            None => (&self.total, None),
        };
        let of_number = |problem: &&Problem| number.is_none_or(|number| problem.tariff == Some(number));
        let problems = &self.assessment.problems[known.problems.clone()];
        words(problems.iter().filter(of_number).map(|problem| word(tariff, problem).to_owned()))
    }
}

/// A word for a problem, finer than the engine's own where conditions are.
fn word(tariff: &Tariff, problem: &Problem) -> &'static str {
    let schedule = tariff.schedule();
    match &problem.kind {
        ProblemKind::ProgramNotInForce(_, period, date) if *date < period.from => "program_not_yet_in_force",
        ProblemKind::ProgramNotInForce(..) => "program_expired",
        ProblemKind::NumberUnknown(number, _) if schedule.knows(*number) => "number_not_active",
        ProblemKind::NotComputable(text) => {
            let printed = schedule.printed().iter().find(|printed| *printed.text == **text);
            match printed.map(|printed| &printed.rate) {
                Some(Rate::Note | Rate::Coded(_)) => "rate_without_formula",
                _ => "rate_not_supported",
            }
        }
        kind => kind.word(),
    }
}

/// Words with a space between.
fn words(words: impl Iterator<Item = String>) -> Computed {
    let joined = words.collect::<Vec<_>>().join(" ");
    if joined.is_empty() { Computed::Blank } else { Computed::Text(joined) }
}
