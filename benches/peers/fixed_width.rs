//! Cuts records into fields with the crate fixed_width and serde, and counts those that are not blank.

use fixed_width::{LineBreak, Reader};
use fixed_width_derive::FixedWidth;
use serde::Deserialize;

#[derive(Default)]
struct Counts {
    cut: u64,
    fields: u64,
    filled: u64,
}

impl Counts {
    fn add(&mut self, fields: &[&str]) {
        self.cut += 1;
        self.fields += fields.len() as u64;
        self.filled += fields.iter().filter(|field| !field.is_empty()).count() as u64;
    }
}

include!("layouts.rs");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("no file")?;
    let file = std::io::BufReader::with_capacity(1 << 18, std::fs::File::open(path)?);
    let mut reader = Reader::from_reader(file).width(80).linebreak(LineBreak::Newline);
    let mut counts = Counts::default();
    while let Some(line) = reader.next_record() {
        count(&mut counts, line?)?;
    }
    println!("{} {} {}", counts.cut, counts.fields, counts.filled);
    Ok(())
}
