//! Reads entry summaries out of a file of batches, changes one and writes it as a batch of its own.
//!
//! `cargo run --no-default-features --example entry_summaries -- FILE`

use std::error::Error;
use std::io::{self, Write};

use abigate::envelope::{EnvelopeCodec, Submission};
use abigate::grammar::Grammar;
use abigate::translate::EntrySummaryCodec;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let envelope = EnvelopeCodec::builtin()?;
    let entry_summaries = EntrySummaryCodec::new(Grammar::builtin())?;
    for batch in envelope.parse(&std::fs::read(&file)?)? {
        let mut blocks = Vec::new();
        for block in &batch.blocks {
            let mut records = Vec::new();
            for transaction in &block.transactions {
                let mut filing =
                    entry_summaries.decode(transaction).map_err(|problems| format!("{problems:?}"))?;
                let header = &mut filing.header;
                eprintln!("{} {}: {} lines", header.filer_code, header.entry_number, filing.lines.len());
                header.broker_reference = Some("MY-REF".parse()?);
                entry_summaries.encode_into(&filing, &mut records)?;
            }
            blocks.push((block.processing.clone(), records));
        }
        let submission = Submission {
            sender: batch.sender,
            password: "PASSWD".to_owned(),
            date: "2026-08-03".parse()?,
            application: batch.application,
            blocks,
        };
        for record in envelope.encode(&submission)? {
            io::stdout().write_all(&record)?;
            io::stdout().write_all(b"\n")?;
        }
    }
    Ok(())
}
