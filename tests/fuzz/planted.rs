//! A decoder with one fault each: a service on a loopback port that answers as abigate does, but for that.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use abigate::fuzz::{Builtin, Target};
use abigate::grammar::{ClassSet, Direction, Grammar, Values};
use abigate::host::World;
use abigate::message::Identifier;
use abigate::wire::{Columns, RECORD_LENGTH};

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Planted {
    /// Nothing.
    Honest,
    /// It falls over when a line is short.
    PanicsOnShortLine,
    /// It falls over when a number is too large for it.
    PanicsOnLargeNumber,
    /// It waits for a Z-record that does not come.
    HangsWithoutTrailer,
    /// It does not compare trailers with headers.
    IgnoresTrailers,
    /// It reads letters in numbers as zeros.
    AcceptsLettersInNumbers,
    /// It takes an entry type it does not know for a common one.
    AcceptsUnknownCode,
    /// It does not look at check digits.
    IgnoresCheckDigit,
    /// It does not look at fillers.
    IgnoresFillers,
    /// It takes one bill more than its group may have.
    OffByOne,
    /// It names the condition next to the right one.
    WrongCondition,
    /// It counts one record too few in its answer.
    MiscountsItsAnswer,
    /// Its answer ends before its last record.
    CutsItsAnswer,
    /// It does not give back what the filer put in for itself.
    LosesUserData,
    /// It forgets the last transaction.
    ForgetsTransaction,
    /// It knows one separator only.
    KnowsOneSeparator,
}

impl Planted {
    /// All that are wrong.
    pub const FAULTS: [Self; 15] = [
        Self::PanicsOnShortLine,
        Self::PanicsOnLargeNumber,
        Self::HangsWithoutTrailer,
        Self::IgnoresTrailers,
        Self::AcceptsLettersInNumbers,
        Self::AcceptsUnknownCode,
        Self::IgnoresCheckDigit,
        Self::IgnoresFillers,
        Self::OffByOne,
        Self::WrongCondition,
        Self::MiscountsItsAnswer,
        Self::CutsItsAnswer,
        Self::LosesUserData,
        Self::ForgetsTransaction,
        Self::KnowsOneSeparator,
    ];

    /// Serves for as long as the test runs.
    pub fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let grammar = Grammar::builtin();
            let mut decoder = Decoder::new(self, grammar);
            for stream in listener.incoming() {
                // Whoever falls over hangs up without a word.
                let _ = catch_unwind(AssertUnwindSafe(|| decoder.converse(stream.unwrap())));
            }
        });
        address
    }
}

struct Decoder {
    planted: Planted,
    grammar: &'static Grammar,
    identifier: Identifier<'static>,
    honest: Builtin<'static>,
}

impl Decoder {
    fn new(planted: Planted, grammar: &'static Grammar) -> Self {
        let (_, automaton) = grammar.structure("AE", Direction::Input).unwrap();
        Self {
            planted,
            grammar,
            identifier: Identifier::new(grammar, "AE", Direction::Input, automaton),
            honest: Builtin::new(grammar, &World::demo(grammar).unwrap(), "AE").unwrap(),
        }
    }

    fn converse(&mut self, mut stream: TcpStream) {
        let mut message = Vec::new();
        stream.read_to_end(&mut message).unwrap();
        if self.planted == Planted::HangsWithoutTrailer && !lines(&message).any(|line| line[0] == b'Z') {
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_secs(60));
                drop(stream);
            });
            return;
        }
        let answer = self.answer(message);
        stream.write_all(&answer).unwrap();
    }

    fn answer(&mut self, message: Vec<u8>) -> Vec<u8> {
        let message = self.misread(message);
        let answer = self.honest.send(&message).unwrap().answer;
        self.miswrite(answer)
    }

    /// What it takes a message for.
    fn misread(&self, message: Vec<u8>) -> Vec<u8> {
        let mut rows = lines(&message).map(<[u8]>::to_vec).collect::<Vec<_>>();
        match self.planted {
            Planted::PanicsOnShortLine => {
                if rows.iter().any(|row| row.len() < RECORD_LENGTH) {
                    fall_over();
                }
                return message;
            }
            Planted::PanicsOnLargeNumber => {
                if rows.iter().any(|row| row.windows(10).any(|some| some == b"9999999999")) {
                    fall_over();
                }
                return message;
            }
            Planted::KnowsOneSeparator => {
                return message.iter().map(|&byte| if byte == b'\r' { b'?' } else { byte }).collect();
            }
            Planted::IgnoresTrailers => mirror(&mut rows),
            Planted::OffByOne => {
                let mut bills = 0;
                rows.retain(|row| {
                    bills = if row.starts_with(b"23") { bills + 1 } else { 0 };
                    bills != 5
                });
            }
            Planted::AcceptsLettersInNumbers
            | Planted::AcceptsUnknownCode
            | Planted::IgnoresCheckDigit
            | Planted::IgnoresFillers => {
                rows.iter_mut().for_each(|row| self.soften(row));
            }
            _ => return message,
        }
        rows.join(&b'\n')
    }

    /// Makes right what it does not see is wrong.
    fn soften(&self, row: &mut [u8]) {
        let Some(columns) = row.first_chunk_mut::<RECORD_LENGTH>() else { return };
        let Some((_, id)) = self.identifier.identify(columns) else { return };
        let layout = self.grammar.layout(id);
        for field in &layout.fields {
            let cell = field.cell;
            let number = cell.class().is_numeric() && !cell.class().has(ClassSet::DATE);
            let range = cell.first_column() - 1..cell.last_column();
            match self.planted {
                Planted::AcceptsLettersInNumbers if number && !cell.is_blank(columns) => {
                    let letters = columns[range].iter_mut().filter(|byte| byte.is_ascii_alphabetic());
                    letters.for_each(|byte| *byte = b'0');
                }
                Planted::IgnoresFillers if field.is_filler() => cell.put_blank(columns),
                Planted::AcceptsUnknownCode if field.name == "entry_type_code" => {
                    let Values::List(list) = &field.values else { continue };
                    if !self.grammar.list(list).unwrap().contains(cell.text(columns)) {
                        cell.put_text(columns, "11").unwrap();
                    }
                }
                Planted::IgnoresCheckDigit if layout.record == "10" && field.name == "entry_number" => {
                    let filer = layout.cell("entry_filer_code").unwrap().text(columns).to_owned();
                    let number = cell.text(columns).get(..7).unwrap_or_default().to_owned();
                    if let Some(digit) = abigate::rules::check_digit(&filer, &number) {
                        cell.put_text(columns, &format!("{number}{digit}")).unwrap();
                    }
                }
                _ => {}
            }
        }
    }

    /// What it makes of an answer.
    fn miswrite(&self, answer: Vec<u8>) -> Vec<u8> {
        let mut rows = lines(&answer).map(<[u8]>::to_vec).collect::<Vec<_>>();
        match self.planted {
            Planted::WrongCondition => {
                let e1 = rows.iter_mut().filter(|row| row.starts_with(b"E1") && row[4..7] == *b"B14");
                e1.for_each(|row| row[4..7].copy_from_slice(b"B15"));
            }
            Planted::MiscountsItsAnswer => {
                let position = rows.iter().position(|row| row[0] == b'Y');
                position.into_iter().for_each(|at| drop(rows.remove(at)));
            }
            Planted::CutsItsAnswer => drop(rows.pop()),
            Planted::LosesUserData => {
                let headers = rows.iter_mut().filter(|row| row[0] == b'B');
                headers.for_each(|row| row[59..].fill(b' '));
            }
            Planted::ForgetsTransaction => {
                let starts = rows.iter().enumerate().filter(|(_, row)| row.starts_with(b"E0 SUMMRY"));
                let starts = starts.map(|(at, _)| at).collect::<Vec<_>>();
                let trailer = rows.iter().position(|row| row[0] == b'Y');
                if let ([_, .., last], Some(trailer)) = (&starts[..], trailer) {
                    rows.drain(last..&trailer);
                    let count = rows.iter().filter(|row| row[0] == b'E').count();
                    let trailer = rows.iter_mut().find(|row| row[0] == b'Y').unwrap();
                    trailer[12..17].copy_from_slice(format!("{count:05}").as_bytes());
                }
            }
            _ => {}
        }
        rows.push(Vec::new());
        rows.join(&b'\n')
    }
}

/// Panics, but does not say so.
fn fall_over() {
    resume_unwind(Box::new("planted"));
}

/// Makes trailers say what headers say.
fn mirror(rows: &mut [Vec<u8>]) {
    let row = |rows: &[Vec<u8>], sign: u8| -> Option<Columns> {
        let found = rows.iter().find(|row| row.first() == Some(&sign))?;
        found.first_chunk::<RECORD_LENGTH>().copied()
    };
    for (header, trailer, ranges) in [(b'A', b'Z', [1..8, 14..20]), (b'B', b'Y', [3..12, 44..46])] {
        let Some(known) = row(rows, header) else { continue };
        for found in rows.iter_mut().filter(|row| row.first() == Some(&trailer) && row.len() == RECORD_LENGTH)
        {
            for range in ranges.clone() {
                found[range.clone()].copy_from_slice(&known[range]);
            }
        }
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty())
}
