//! Tells what is wrong with a file of batches.
//!
//! `cargo run --no-default-features --example check -- FILE`

use std::error::Error;

use abigate::grammar::Grammar;
use abigate::message::Checker;
use abigate::wire::records;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let stream = std::fs::read(&file)?;
    let mut checker = Checker::new(Grammar::builtin(), Some(&file));
    let mut report = |finding| println!("{finding}");
    for record in records(&stream) {
        checker.line(&record.as_line(), &mut report);
    }
    checker.finish(&mut report);
    Ok(())
}
