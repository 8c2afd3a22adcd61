//! The language of the hand-worked cases; `tests/tariff/cases/README.md` describes it.

use abigate::model::{CaseNumber, Code, CountryCode, DutySecurity, HtsNumber, RateKind, SetRole, ZoneStatus};
use abigate::tariff::{
    Amount, CaseFacts, Dates, InterestKind, LineFacts, SummaryFacts, TariffFacts, TaxFacts, Zone,
};
use jiff::civil::Date;
use rust_decimal::Decimal;

/// A case: facts, and what was worked by hand.
pub struct Case {
    pub name: String,
    pub facts: SummaryFacts,
    pub interest: Option<(Decimal, Date, Date, InterestKind)>,
    pub fees_aside: bool,
    pub steps: Vec<HandStep>,
    pub problems: Vec<String>,
}

/// `= LABEL: ARITHMETIC = AMOUNT`
pub struct HandStep {
    pub label: Vec<String>,
    pub arithmetic: String,
    pub amount: Decimal,
}

/// The cases of a file, and the schedule that stands before them.
pub fn read(file: &str, text: &str) -> (String, Vec<Case>) {
    let (mut schedule, mut cases) = (String::new(), Vec::<Case>::new());
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let words = line.split_whitespace().collect::<Vec<_>>();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["schedule"] => {
                for (_, row) in lines.by_ref().take_while(|(_, row)| row.trim() != "end") {
                    schedule += &row.trim().split('|').map(str::trim).collect::<Vec<_>>().join("\t");
                    schedule.push('\n');
                }
            }
            ["case", name @ ..] => cases.push(Case::new(&format!("{file}: {}", name.join(" ")))),
            words => {
                let place = format!("{file}:{}: {line}", index + 1);
                cases.last_mut().expect(&place).take(line, words, &place);
            }
        }
    }
    (schedule, cases)
}

impl Case {
    fn new(name: &str) -> Self {
        let date = Date::constant(2026, 8, 3);
        let facts = SummaryFacts {
            entry_type: Some(code("01")),
            mode: Some(code("40")),
            dates: Dates::received(date),
            consolidated: false,
            consolidated_express: false,
            express_port: false,
            manual: false,
            lines: Vec::new(),
        };
        let name = name.to_owned();
        Self { name, facts, interest: None, fees_aside: false, steps: Vec::new(), problems: Vec::new() }
    }

    fn take(&mut self, line: &str, words: &[&str], place: &str) {
        let facts = &mut self.facts;
        match words {
            ["=", ..] => self.steps.push(hand_step(line, place)),
            ["problem", word] => self.problems.push((*word).to_owned()),
            ["fees", "aside"] => self.fees_aside = true,
            ["type", word] => facts.entry_type = Some(code(word)),
            ["mode", word] => facts.mode = Some(code(word)),
            ["received", day] => facts.dates.received = date(day),
            ["entry", day] => facts.dates.entry = Some(date(day)),
            ["estimated", day] => facts.dates.estimated_entry = Some(date(day)),
            ["release", day] => facts.dates.release = Some(date(day)),
            ["statement", day] => facts.dates.statement = Some(date(day)),
            ["arrival", day] => facts.dates.arrival = Some(date(day)),
            ["in-bond", day] => facts.dates.in_bond = Some(date(day)),
            ["import", day] => facts.dates.importation = Some(date(day)),
            ["consolidated"] => facts.consolidated = true,
            ["express"] => facts.consolidated_express = true,
            ["express-port"] => facts.express_port = true,
            ["manual"] => facts.manual = true,
            ["line", origin, more @ ..] => facts.lines.push(line_facts(origin, more, place)),
            ["content", heading, value] => split(facts, heading, value),
            ["ad" | "cv", rest @ ..] => last(facts).cases.push(case_facts(rest, place)),
            ["tax", class, more @ ..] => last(facts).tax = Some(tax_facts(class, more, place)),
            ["interest", amount, from, to, kind @ ..] => {
                let kind = InterestKind {
                    underpayment: kind.contains(&"underpayment"),
                    noncorporate: kind.contains(&"noncorporate"),
                };
                self.interest = Some((decimal(amount), date(from), date(to), kind));
            }
            [number, more @ ..] => last(facts).tariffs.push(tariff_facts(number, more, place)),
            [] => {}
        }
    }
}

fn last(facts: &mut SummaryFacts) -> &mut LineFacts {
    facts.lines.last_mut().expect("a line before what it says")
}

fn line_facts(origin: &str, words: &[&str], place: &str) -> LineFacts {
    let mut line = LineFacts::new(CountryCode::new(origin).expect(place), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut next = || *words.next().expect(place);
        match *word {
            "claim" => line.program = Some(code(next())),
            "set" => line.set_role = Some(if next() == "X" { SetRole::Header } else { SetRole::Component }),
            "zone" => {
                let (status, filed) = match next() {
                    "P" => (ZoneStatus::PrivilegedForeign, Some(date(next()))),
                    "N" => (ZoneStatus::NonPrivilegedForeign, None),
                    _ => (ZoneStatus::Domestic, None),
                };
                line.zone = Some(Zone { status, filed });
            }
            "excluded" => line.excluded = true,
            "organic" => line.agricultural_exempt = true,
            "charges" => line.charges = Some(decimal(next())),
            other => panic!("{place}: {other:?}"),
        }
    }
    line
}

/// `NUMBER value N quantity A U, A U second`
fn tariff_facts(hts: &str, words: &[&str], place: &str) -> TariffFacts {
    let mut facts = TariffFacts::new(number(hts), Decimal::ZERO);
    let text = words.join(" ");
    let (text, second) = text.strip_suffix("second").map_or((text.as_str(), false), |text| (text, true));
    let (text, first) = text.strip_suffix("first").map_or((text, false), |text| (text, true));
    facts.second_rate = (first || second).then_some(second);
    let (value, quantities) = text.split_once("quantity").unwrap_or((text, ""));
    if let Some(value) = value.trim().strip_prefix("value ") {
        facts.value = decimal(value.trim());
    } else {
        assert!(value.trim().is_empty(), "{place}: {value:?}");
    }
    let parts = quantities.split(',').map(str::trim).filter(|part| !part.is_empty());
    for (slot, part) in facts.quantities.iter_mut().zip(parts) {
        let (amount, unit) = part.split_once(' ').expect(place);
        let unit = (unit != "-").then(|| code(unit));
        *slot = Some(Amount { amount: decimal(amount), unit });
    }
    facts
}

/// `A552803000 cash 116.31%`, `C… bond $1.20 quantity 300 value 500`
fn case_facts(words: &[&str], place: &str) -> CaseFacts {
    let [case, security, rate, more @ ..] = words else { panic!("{place}") };
    let (rate, kind) = match rate.strip_suffix('%') {
        Some(rate) => (rate, RateKind::AdValorem),
        None => (rate.trim_start_matches('$'), RateKind::Specific),
    };
    let named = |name: &str| {
        let at = more.iter().position(|word| *word == name)?;
        Some(decimal(more[at + 1]))
    };
    CaseFacts {
        number: CaseNumber::new(case).expect(place),
        security: if *security == "bond" { DutySecurity::Bond } else { DutySecurity::Cash },
        rate: decimal(rate),
        kind,
        value: named("value"),
        quantity: named("quantity"),
    }
}

/// `017 category still_wine_21 craft 0.17 quantity 100 L`
fn tax_facts(class: &str, words: &[&str], place: &str) -> TaxFacts {
    let mut facts = TaxFacts { class: code(class), category: None, craft_rate: None, quantity: None };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut next = || *words.next().expect(place);
        match *word {
            "category" => facts.category = Some(next().to_owned()),
            "craft" => facts.craft_rate = Some(decimal(next())),
            "quantity" => facts.quantity = Some(Amount { amount: decimal(next()), unit: Some(code(next())) }),
            other => panic!("{place}: {other:?}"),
        }
    }
    facts
}

/// Reports the content of a metal as a line of its own.
fn split(facts: &mut SummaryFacts, heading: &str, value: &str) {
    let line = facts.lines.pop().unwrap();
    let reciprocal =
        |number: HtsNumber| number.as_str() == "99030125" || number.as_str().starts_with("990302");
    let split = line.split_content(number(heading), Some(number("9903.01.33")), decimal(value), reciprocal);
    let split = split.unwrap();
    facts.lines.extend([split.rest, split.content]);
}

fn hand_step(line: &str, place: &str) -> HandStep {
    let (label, rest) = line.trim().trim_start_matches('=').split_once(':').expect(place);
    let (arithmetic, amount) = rest.rsplit_once('=').expect(place);
    HandStep {
        label: label.split_whitespace().map(|word| word.replace('.', "")).collect(),
        arithmetic: arithmetic.trim().to_owned(),
        amount: amount.trim().parse().expect(place),
    }
}

fn number(text: &str) -> HtsNumber {
    HtsNumber::new(&text.replace('.', "")).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn code<const N: usize>(text: &str) -> Code<N> {
    Code::new(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn date(text: &str) -> Date {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no date"))
}
