//! Records written as text, and a directory in memory.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use abigate::envelope::{
    BatchReading, Directory, EnvelopeCodec, Party, Permit, Place, RawBatch, Sender, Standing,
};
use abigate::grammar::Grammar;
use abigate::wire::Columns;

/// The grammars of the program and the small ones beside this file.
pub static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envelope/grammars");
    Grammar::with_folder(&folder).unwrap()
});

pub static CODEC: LazyLock<EnvelopeCodec<'static>> = LazyLock::new(|| EnvelopeCodec::new(&GRAMMAR).unwrap());

/// A record, filled with spaces.
pub fn record(text: &str) -> Columns {
    assert!(text.len() <= 80, "{text:?} is too long");
    let mut columns = [b' '; 80];
    columns[..text.len()].copy_from_slice(text.as_bytes());
    columns
}

pub fn records(lines: &[&str]) -> Vec<Columns> {
    lines.iter().map(|line| record(line)).collect()
}

pub fn text(columns: &Columns) -> String {
    String::from_utf8_lossy(columns).trim_end().to_owned()
}

pub fn texts(rows: &[Columns]) -> Vec<String> {
    rows.iter().map(text).collect()
}

/// Overwrites a record from a column, counted from 1.
pub fn put(row: &mut Columns, column: usize, text: &str) {
    row[column - 1..column - 1 + text.len()].copy_from_slice(text.as_bytes());
}

pub fn party(port: &str, filer: &str) -> Party {
    Party { port: port.to_owned(), filer: filer.to_owned(), office: String::new() }
}

pub fn sender(site: &str, id: &str) -> Sender {
    Sender { site: site.to_owned(), id: id.to_owned(), office: String::new() }
}

/// What a party may do.
pub struct Profile {
    pub party: Party,
    pub active: bool,
    pub senders: Vec<Sender>,
    pub not_set_up_for: HashSet<&'static str>,
    pub ports: HashSet<&'static str>,
    pub local_permit: bool,
}

impl Profile {
    pub fn new(party: Party, senders: &[Sender]) -> Self {
        Self {
            party,
            active: true,
            senders: senders.to_vec(),
            not_set_up_for: HashSet::new(),
            ports: HashSet::new(),
            local_permit: true,
        }
    }
}

/// A directory in memory.
#[derive(Default)]
pub struct Profiles {
    pub senders: Vec<(Sender, &'static str)>,
    pub switched_off: HashSet<&'static str>,
    pub ports: HashSet<&'static str>,
    pub parties: Vec<Profile>,
    pub brokers_without_permit: HashSet<&'static str>,
}

impl Profiles {
    fn profile(&self, party: &Party) -> Option<&Profile> {
        self.parties.iter().find(|profile| profile.party == *party)
    }

    pub fn profile_mut(&mut self, port: &str) -> &mut Profile {
        self.parties.iter_mut().find(|profile| profile.party.port == port).unwrap()
    }
}

impl Directory for Profiles {
    fn verify_sender(&self, sender: &Sender, password: &[u8]) -> bool {
        self.senders.iter().any(|(known, secret)| known == sender && secret.as_bytes() == password)
    }

    fn application_available(&self, application: &str) -> bool {
        !self.switched_off.contains(application)
    }

    fn knows_port(&self, port: &str) -> bool {
        self.ports.contains(port)
    }

    fn standing(&self, party: &Party) -> Standing {
        match self.profile(party) {
            None => Standing::Unknown,
            Some(profile) if profile.active => Standing::Active,
            Some(_) => Standing::Inactive,
        }
    }

    fn may_transmit(&self, sender: &Sender, party: &Party) -> bool {
        self.profile(party).is_some_and(|profile| profile.senders.contains(sender))
    }

    fn may_file(&self, party: &Party, application: &str) -> bool {
        self.profile(party).is_some_and(|profile| !profile.not_set_up_for.contains(application))
    }

    fn serves_port(&self, preparer: &Party, port: &str) -> bool {
        self.profile(preparer).is_some_and(|profile| profile.ports.contains(port))
    }

    fn national_permit(&self, filer: &str) -> Permit {
        if self.brokers_without_permit.contains(filer) { Permit::Missing } else { Permit::Held }
    }

    fn local_permit_valid(&self, party: &Party) -> bool {
        self.profile(party).is_none_or(|profile| profile.local_permit)
    }
}

/// The parties of the chapter's examples.
pub fn profiles() -> Profiles {
    let (broker, bureau, other) = (sender("2704", "EEE"), sender("3002", "SB1"), sender("1234", "N01"));
    let mut preparer = Profile::new(party("1232", "N01"), std::slice::from_ref(&other));
    preparer.ports = HashSet::from(["1202"]);
    Profiles {
        senders: vec![
            (broker.clone(), "PASSWD"),
            (bureau.clone(), "PASSWD"),
            (other.clone(), "PASSED"),
            (other.clone(), "PASSWD"),
        ],
        ports: HashSet::from(["2704", "3003", "3004", "1201", "1202", "1232"]),
        parties: vec![
            Profile::new(party("2704", "EEE"), &[broker]),
            Profile::new(party("3003", "CU1"), std::slice::from_ref(&bureau)),
            Profile::new(party("3004", "CU2"), &[bureau]),
            Profile::new(party("1201", "N01"), std::slice::from_ref(&other)),
            Profile::new(party("1202", "N01"), &[other]),
            preparer,
        ],
        ..Profiles::default()
    }
}

pub fn read(rows: Vec<Columns>, profiles: &Profiles) -> BatchReading {
    CODEC.read_batch(&RawBatch::from_rows(rows), profiles)
}

/// A reading's conditions as text: `X12` of the batch, `X15@2` of its second block, `X34@1.2 r7 c0` of
/// a transaction's record and column.
pub fn conditions(reading: &BatchReading) -> Vec<String> {
    let shown = |condition: &abigate::envelope::EnvelopeCondition| match condition.place {
        Place::Batch => condition.code.to_string(),
        Place::Block { block } => format!("{}@{block}", condition.code),
        Place::Transaction { block, transaction, record, column } => {
            format!("{}@{block}.{transaction} r{record} c{column}", condition.code)
        }
    };
    reading.conditions.iter().map(shown).collect()
}
