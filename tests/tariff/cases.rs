//! The table of hand-worked cases: every arithmetic is evaluated by itself, and the program must come to
//! the same amounts, no more and no fewer.

use std::collections::BTreeMap;
use std::path::Path;

use abigate::grammar::Grammar;
use abigate::tariff::{Assessment, Sources, SummaryFacts, Tariff};
use rust_decimal::Decimal;

use crate::arithmetic::{cents, evaluate};
use crate::reader::{Case, read};

/// Every amount of an assessment by its label.
fn amounts(facts: &SummaryFacts, assessment: &Assessment) -> BTreeMap<Vec<String>, Decimal> {
    let mut amounts = BTreeMap::new();
    let mut put = |words: &[&str], amount| {
        *amounts.entry(words.iter().map(ToString::to_string).collect::<Vec<_>>()).or_default() += amount;
    };
    for (index, (line, owed)) in facts.lines.iter().zip(&assessment.lines).enumerate() {
        let place = (index + 1).to_string();
        for (tariff, duty) in line.tariffs.iter().zip(&owed.duties) {
            put(&["duty", &place, tariff.number.as_str()], *duty);
        }
        for (case, duty) in line.cases.iter().zip(&owed.cases) {
            put(&["case", &place, case.number.as_str()], *duty);
        }
        owed.tax.iter().for_each(|tax| put(&["tax", &place, tax.class.as_str()], tax.amount));
        owed.fees.iter().for_each(|fee| put(&["fee", &place, fee.class.as_str()], fee.amount));
    }
    assessment.header_fees.iter().for_each(|fee| put(&["fee", "header", fee.class.as_str()], fee.amount));
    assessment.fee_totals.iter().for_each(|fee| put(&["total", fee.class.as_str()], fee.amount));
    let totals = assessment.totals;
    put(&["total", "duty"], totals.duty);
    put(&["total", "fees"], totals.fees);
    put(&["total", "tax"], totals.tax);
    put(&["total", "bonded"], totals.bonded_antidumping + totals.bonded_countervailing);
    put(&["total", "cash"], totals.cash_antidumping + totals.cash_countervailing);
    put(&["payable"], totals.payable());
    amounts
}

fn check(tariff: &Tariff, case: &Case, failures: &mut Vec<String>) {
    let mut fail = |what: String| failures.push(format!("{}: {what}", case.name));
    let assessment = tariff.explain(&case.facts);
    assert_eq!(assessment, Assessment { steps: assessment.steps.clone(), ..tariff.assess(&case.facts) });
    let mut amounts = amounts(&case.facts, &assessment);
    let stripped = tariff.without_ieepa(&case.facts);
    let after = tariff.assess(&stripped);
    for (mut label, amount) in self::amounts(&stripped, &after) {
        label.insert(0, "after".to_owned());
        amounts.insert(label, amount);
    }
    let paid = assessment.totals.payable();
    amounts.insert(vec!["refund".to_owned()], paid - after.totals.payable());
    if let Some((principal, from, to, kind)) = case.interest {
        let interest = tariff.interest().interest(principal, from, to, kind).unwrap();
        amounts.insert(vec!["interest".to_owned()], interest.amount);
    }
    for step in &case.steps {
        let (worked, label) = (evaluate(&step.arithmetic), step.label.join(" "));
        if cents(worked) != step.amount {
            fail(format!("{label}: {} is {worked}, the case says {}", step.arithmetic, step.amount));
        }
        match amounts.remove(&step.label) {
            Some(amount) if amount == step.amount => {}
            other => fail(format!("{label}: worked {}, the program has {other:?}", step.amount)),
        }
    }
    // Nothing is owed that was not worked: totals and what follows a removal may be left out.
    for (label, amount) in &amounts {
        let kind = label[0].as_str();
        let aside = case.fees_aside && kind == "fee";
        if matches!(kind, "duty" | "case" | "tax" | "fee") && !aside && !amount.is_zero() {
            fail(format!("{}: {amount} was not worked", label.join(" ")));
        }
    }
    let mut problems = assessment.problems.iter().map(|problem| problem.kind.word()).collect::<Vec<_>>();
    let mut expected = case.problems.iter().map(String::as_str).collect::<Vec<_>>();
    problems.sort_unstable();
    expected.sort_unstable();
    if problems != expected {
        fail(format!("problems {:?}", assessment.problems));
    }
    check_steps(&assessment, &mut fail);
}

/// Every amount that is not zero has a step that says where it comes from, and steps add up.
fn check_steps(assessment: &Assessment, fail: &mut impl FnMut(String)) {
    for (index, owed) in assessment.lines.iter().enumerate() {
        let of_line = assessment.steps.iter().filter(|step| step.line == Some(index + 1));
        let explained = of_line.map(|step| step.amount).sum::<Decimal>();
        let fees = owed.fees.iter().map(|fee| fee.amount).sum::<Decimal>();
        let cases = owed.cases.iter().sum::<Decimal>();
        let total = owed.duty() + cases + fees + owed.tax.map_or(Decimal::ZERO, |tax| tax.amount);
        // A harbor fee too small to be owed is explained and taken back by a step of the summary.
        let taken_back =
            assessment.steps.iter().any(|step| step.title.starts_with("no harbor maintenance fee"));
        if explained != total && !taken_back {
            fail(format!("line {}: the steps come to {explained}, owed are {total}", index + 1));
        }
    }
    for step in &assessment.steps {
        if cents(step.exact) != step.amount && step.subject != "499" && step.subject != "501" {
            fail(format!("step {step:?} is rounded wrongly"));
        }
        if step.rule.is_empty() {
            fail(format!("step {step:?} names no rule"));
        }
    }
}

#[test]
fn the_program_comes_to_what_was_worked_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tariff/cases");
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "cases"));
    files.sort();
    let (mut count, mut steps, mut failures) = (0, 0, Vec::new());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (schedule, cases) = read(&name, &std::fs::read_to_string(&file).unwrap());
        let mut tariff = Tariff::new(&Sources::builtin(), Grammar::builtin()).unwrap();
        tariff.add_schedule(&schedule).unwrap_or_else(|error| panic!("{name}: {error}"));
        for case in &cases {
            assert!(!case.steps.is_empty() || !case.problems.is_empty(), "{}: nothing worked", case.name);
            check(&tariff, case, &mut failures);
            steps += case.steps.len();
        }
        count += cases.len();
    }
    assert!(failures.is_empty(), "{} of {count} cases fail:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 120, "{count} cases");
    println!("{count} cases, {steps} amounts worked by hand");
}
