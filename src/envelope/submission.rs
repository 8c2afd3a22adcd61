//! Batches on the filer's side: read out of memory without a host, and written with their control records.

use std::fmt;
use std::sync::LazyLock;

use jiff::civil::Date;

use super::collect::{BatchCollector, RawBatch};
use super::directory::{Directory, Party, Permit, Sender, Standing};
use super::layouts::EnvelopeCodec;
use super::read::BatchReading;
use super::{AnswerError, answer};
use crate::grammar::{Grammar, UnknownName};
use crate::wire::{Columns, LimitExceeded, Limits, records};

/// A batch as its transmitter sends it. Its `Debug` does not show the password.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Submission {
    /// The transmitter.
    pub sender: Sender,
    /// The transmitter's password, up to six characters.
    pub password: String,
    /// The day of transmission.
    pub date: Date,
    /// The application identifier, such as `AE`.
    pub application: String,
    /// The blocks: the processing filer at its port, and the records between the B- and the Y-record.
    pub blocks: Vec<(Party, Vec<Columns>)>,
}

impl fmt::Debug for Submission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Submission")
            .field("sender", &self.sender)
            .field("date", &self.date)
            .field("application", &self.application)
            .field("blocks", &self.blocks.len())
            .finish_non_exhaustive()
    }
}

/// A directory that takes every party for one that is set up: what is wrong with a batch by itself is all
/// that is found.
struct EveryParty;

impl Directory for EveryParty {
    fn verify_sender(&self, _: &Sender, _: &[u8]) -> bool {
        true
    }

    fn application_available(&self, _: &str) -> bool {
        true
    }

    fn knows_port(&self, _: &str) -> bool {
        true
    }

    fn standing(&self, _: &Party) -> Standing {
        Standing::Active
    }

    fn may_transmit(&self, _: &Sender, _: &Party) -> bool {
        true
    }

    fn may_file(&self, _: &Party, _: &str) -> bool {
        true
    }

    fn serves_port(&self, _: &Party, _: &str) -> bool {
        true
    }

    fn national_permit(&self, _: &str) -> Permit {
        Permit::NotNeeded
    }
}

static BUILTIN: LazyLock<Result<EnvelopeCodec<'static>, UnknownName>> =
    LazyLock::new(|| EnvelopeCodec::new(Grammar::builtin()));

impl EnvelopeCodec<'static> {
    /// The codec of the grammars that come with the program.
    ///
    /// # Errors
    /// None, unless the program was built with a broken grammar; the tests would not pass.
    pub fn builtin() -> Result<&'static Self, UnknownName> {
        BUILTIN.as_ref().map_err(Clone::clone)
    }
}

impl EnvelopeCodec<'_> {
    /// Reads every batch of a stream that lies in memory. Senders, filers and ports are not looked up: the
    /// conditions are those of the records alone.
    ///
    /// # Errors
    /// A batch is beyond the default [`Limits`].
    ///
    /// ```
    /// # use abigate::envelope::EnvelopeCodec;
    /// let stream = std::fs::read("samples/entry_summary/good/01-air-one-line.abi")?;
    /// let batches = EnvelopeCodec::builtin()?.parse(&stream)?;
    /// assert!(batches[0].is_accepted());
    /// assert_eq!(batches[0].blocks[0].transactions.len(), 1);
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn parse(&self, stream: &[u8]) -> Result<Vec<BatchReading>, LimitExceeded> {
        let mut collector = BatchCollector::new(Limits::default());
        let mut batches = Vec::new();
        let mut read = |batch: RawBatch| batches.push(self.read_batch(&batch, &EveryParty));
        for record in records(stream) {
            collector.push(record.as_line())?.map(&mut read);
        }
        collector.finish().map(&mut read);
        Ok(batches)
    }

    /// The records of a batch as its transmitter sends it: the blocks between A- and Z-record.
    ///
    /// # Errors
    /// A value does not fit its field, or a block has more records than its trailer can count.
    ///
    /// ```
    /// # use abigate::envelope::{EnvelopeCodec, Party, Sender, Submission};
    /// let sender = Sender { site: "2704".into(), id: "EEE".into(), ..Sender::default() };
    /// let filer = Party { port: "2720".into(), filer: "EEE".into(), ..Party::default() };
    /// let rows = EnvelopeCodec::builtin()?.encode(&Submission {
    ///     sender,
    ///     password: "PASSWD".into(),
    ///     date: "2026-08-03".parse()?,
    ///     application: "AE".into(),
    ///     blocks: vec![(filer, Vec::new())],
    /// })?;
    /// let text = |row: &[u8]| String::from_utf8_lossy(row).trim_end().to_owned();
    /// assert_eq!(text(&rows[0]), "A2704EEEPASSWD080326     AE");
    /// assert_eq!(text(&rows[2]), "Y  2720EEEAE");
    /// # Ok::<_, Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(&self, submission: &Submission) -> Result<Vec<Columns>, AnswerError> {
        let family = self.family(self.is_e_manifest(&submission.application));
        let mut header = answer::addressed(&family.header, &submission.sender, submission.date)?;
        if let Some(password) = family.header.password {
            password.put_text(&mut header, &submission.password)?;
        }
        if let Some(application) = family.header.application {
            application.put_text(&mut header, &submission.application)?;
        }
        let mut rows = vec![header];
        for (party, records) in &submission.blocks {
            let mut header = self.block.layout.blank();
            answer::put_party(&self.block.processing, &mut header, party)?;
            self.block.application.put_text(&mut header, &submission.application)?;
            rows.push(header);
            rows.extend_from_slice(records);
            let cells = &family.block_trailer;
            let mut trailer = cells.layout.blank();
            answer::put_party(&cells.processing, &mut trailer, party)?;
            cells.application.put_text(&mut trailer, &submission.application)?;
            answer::put_count(cells, &mut trailer, records.len())?;
            rows.push(trailer);
        }
        rows.push(answer::addressed(&family.trailer, &submission.sender, submission.date)?);
        Ok(rows)
    }
}
