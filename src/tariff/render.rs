//! An assessment for people: step by step, and as a table beside a CBP Form 7501.

use std::fmt::Write;

use rust_decimal::Decimal;

use super::Tariff;
use super::assess::Assessment;
use super::facts::SummaryFacts;
use super::journal::Step;
use super::problem::Problem;

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
    push(
        &mut text,
        "line  number      description                           value  quantity            rate              amount",
    );
    for (index, line) in facts.lines.iter().enumerate() {
        let date = facts.dates.duty(facts.entry_type, line.zone);
        for tariff_facts in &line.tariffs {
            let number = tariff_facts.number;
            let description =
                tariff.schedule().find(number, date).map_or("", |article| article.description());
            let quantities = tariff_facts.quantities.iter().flatten().map(|quantity| {
                let unit = quantity.unit.map_or_else(String::new, |unit| format!(" {unit}"));
                format!("{}{unit}", quantity.amount.normalize())
            });
            let step = |step: &&Step| step.line == Some(index + 1) && step.subject == number.as_str();
            let step = assessment.steps.iter().find(step);
            push(
                &mut text,
                &row(
                    &format!("{:03}", index + 1),
                    number.as_str(),
                    description,
                    &tariff_facts.value.normalize().to_string(),
                    &quantities.collect::<Vec<_>>().join(", "),
                    step,
                ),
            );
        }
        let own = |subject: &str| line.tariffs.iter().any(|facts| facts.number.as_str() == subject);
        let others =
            assessment.steps.iter().filter(|step| step.line == Some(index + 1) && !own(&step.subject));
        for step in others {
            push(&mut text, &row("", &step.subject, &step.title, "", "", Some(step)));
        }
    }
    for step in assessment.steps.iter().filter(|step| step.line.is_none()) {
        push(&mut text, &row("", &step.subject, &step.title, "", "", Some(step)));
    }
    for problem in &assessment.problems {
        push(&mut text, &in_words(problem));
    }
    text
}

fn row(line: &str, number: &str, what: &str, value: &str, quantity: &str, step: Option<&Step>) -> String {
    let (rate, amount) = step.map_or(("", String::new()), |step| (step.rate.as_str(), money(step.amount)));
    format!(
        "{line:<4}  {number:<10}  {:<32}  {value:>9}  {:<18}  {:<16}  {amount:>13}",
        short(what, 32),
        short(quantity, 18),
        short(rate, 16)
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
