//! Computes what the entry summaries of a file owe, and shows each step.
//!
//! `cargo run --no-default-features --example duty -- FILE`

use std::error::Error;

use abigate::envelope::EnvelopeCodec;
use abigate::grammar::Grammar;
use abigate::tariff::{Known, Tariff};
use abigate::translate::EntrySummaryCodec;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let entry_summaries = EntrySummaryCodec::new(Grammar::builtin())?;
    let tariff = Tariff::builtin()?;
    let batches = EnvelopeCodec::builtin()?.parse(&std::fs::read(&file)?)?;
    let blocks = batches.iter().flat_map(|batch| &batch.blocks);
    for transaction in blocks.flat_map(|block| &block.transactions) {
        let filing = entry_summaries.decode(transaction).map_err(|problems| format!("{problems:?}"))?;
        let facts = tariff.facts_of(&filing, &Known::received("2026-08-03".parse()?));
        let assessment = tariff.explain(&facts);
        println!("{} {}", filing.header.filer_code, filing.header.entry_number);
        for step in &assessment.steps {
            println!("  {} {}: {}", step.subject, step.title, step.arithmetic);
        }
        println!("  payable {}", assessment.totals.payable());
    }
    Ok(())
}
