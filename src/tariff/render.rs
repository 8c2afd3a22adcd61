//! An assessment for people: step by step, and as a table beside a CBP Form 7501.

use std::fmt::Write;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Tariff;
use super::assess::Assessment;
use super::facts::{SummaryFacts, TariffFacts};
use super::journal::Step;
use super::problem::Problem;
use crate::model::HtsNumber;

/// Every step in words: what, by which rate of which version, the arithmetic, the rounding and the rule.
#[must_use]
pub fn text(assessment: &Assessment) -> String {
    let mut text = String::new();
    let mut line = None;
    for step in &assessment.steps {
        if step.line != line || text.is_empty() {
            line = step.line;
            push(&mut text, &heading(line));
        }
        describe(step, &mut text);
    }
    for problem in &assessment.problems {
        push(&mut text, &in_words(problem));
    }
    text
}

/// A problem with its place.
fn in_words(problem: &Problem) -> String {
    match problem.line {
        Some(line) => format!("problem: line {}: {}", line + 1, problem.kind),
        None => format!("problem: {}", problem.kind),
    }
}

fn heading(line: Option<usize>) -> String {
    line.map_or_else(|| "summary".to_owned(), |line| format!("line {line}"))
}

fn describe(step: &Step, text: &mut String) {
    push(text, &format!("  {:<10}  {:>14}  {}", step.subject, money(step.amount), step.title));
    let mut rate = match (step.rate.as_str(), step.version.as_str()) {
        ("", "") => String::new(),
        (rate, "") => format!("rate {rate}"),
        ("", version) => format!("rate ({version})"),
        (rate, version) => format!("rate {rate} ({version})"),
    };
    if let Some(date) = step.date {
        let join = if rate.is_empty() { "" } else { "; " };
        rate = format!("{rate}{join}date {date}");
    }
    let mut detail = |detail: String| push(text, &format!("{:30}{detail}", ""));
    if !rate.is_empty() {
        detail(rate);
    }
    if !step.arithmetic.is_empty() {
        detail(format!("{} = {}", step.arithmetic, step.exact.normalize()));
    }
    if !step.rounding.is_empty() {
        detail(format!("{} rounded to {}, {}", step.exact.normalize(), step.amount, step.rounding));
    }
    if !step.rule.is_empty() {
        detail(step.rule.clone());
    }
}

/// One row a number, case, tax and fee: what a broker puts beside columns 27 to 39 of a 7501.
#[must_use]
pub fn table(tariff: &Tariff, facts: &SummaryFacts, assessment: &Assessment) -> String {
    let mut text = String::new();
    let names = ["line", "number", "description", "value", "quantity", "rate", "amount"];
    push(&mut text, &row(&names.map(str::to_owned)));
    for (index, line) in facts.lines.iter().enumerate() {
        let date = tariff.duty_date(facts, line);
        let of_line = |step: &&Step| step.line == Some(index + 1);
        for facts in &line.tariffs {
            let step =
                assessment.steps.iter().find(|step| of_line(step) && step.subject == facts.number.as_str());
            let (rate, amount) = rate_and_amount(step);
            push(
                &mut text,
                &row(&[
                    format!("{:03}", index + 1),
                    facts.number.to_string(),
                    described(tariff, facts.number, date),
                    facts.value.normalize().to_string(),
                    quantities(facts),
                    rate,
                    amount,
                ]),
            );
        }
        let own = |subject: &str| line.tariffs.iter().any(|facts| facts.number.as_str() == subject);
        for step in assessment.steps.iter().filter(of_line).filter(|step| !own(&step.subject)) {
            push(&mut text, &step_row(step, &step.title));
        }
    }
    for step in assessment.steps.iter().filter(|step| step.line.is_none()) {
        // What all totals have in common stands before the last sign.
        let (_, own) = step.title.rsplit_once([':', ',']).unwrap_or(("", &step.title));
        push(&mut text, &step_row(step, own.trim()));
    }
    for problem in &assessment.problems {
        push(&mut text, &in_words(problem));
    }
    text
}

/// What a number is: the programme of a heading, or what the schedule says.
fn described(tariff: &Tariff, number: HtsNumber, date: Date) -> String {
    match tariff.headings().find(number, date).0 {
        Some(heading) => tariff.headings().programmes()[heading.programme].meaning.clone(),
        None => tariff.schedule().find(number, date).map_or("", |article| article.description()).to_owned(),
    }
}

fn quantities(facts: &TariffFacts) -> String {
    let quantities = facts.quantities.iter().flatten().map(|quantity| {
        let unit = quantity.unit.map_or_else(String::new, |unit| format!(" {unit}"));
        format!("{}{unit}", quantity.amount.normalize())
    });
    quantities.collect::<Vec<_>>().join(", ")
}

fn rate_and_amount(step: Option<&Step>) -> (String, String) {
    step.map_or_else(Default::default, |step| (step.rate.clone(), money(step.amount)))
}

fn step_row(step: &Step, what: &str) -> String {
    let (rate, amount) = rate_and_amount(Some(step));
    let blank = String::new;
    row(&[blank(), step.subject.clone(), what.to_owned(), blank(), blank(), rate, amount])
}

fn row([line, number, what, value, quantity, rate, amount]: &[String; 7]) -> String {
    format!(
        "{line:<4}  {number:<10}  {:<46}  {value:>10}  {:<20}  {:<22}  {amount:>13}",
        short(what, 46),
        short(quantity, 20),
        short(rate, 22)
    )
}

/// A text that is cut where its column ends, which it then says.
fn short(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 2).chain("..".chars()).collect()
}

/// Dollars and cents.
fn money(amount: Decimal) -> String {
    format!("{amount:.2}")
}

fn push(text: &mut String, line: &str) {
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{}", line.trim_end());
}
