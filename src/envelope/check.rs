//! The conditions that control records raise (B&B-9 to B&B-17, B&B-31 to B&B-33).
//!
//! A fault raises one condition, not those that would follow from it: a code that is blank is not
//! looked up, and a value that is not there is not compared.

use super::collect::RawBatch;
use super::condition::{Found, Place};
use super::directory::{Directory, Party, Permit, Sender, Standing};
use super::layouts::{BatchCells, BlockTrailerCells, EnvelopeCodec};
use crate::grammar::{Application, Cell, LayoutId};
use crate::wire::{Columns, Defect};

/// What the checks of one batch have in common.
pub(super) struct Checks<'a, 'g> {
    pub(super) codec: &'a EnvelopeCodec<'g>,
    pub(super) directory: &'a dyn Directory,
    pub(super) e_manifest: bool,
    /// The application that all blocks must name.
    pub(super) application: &'a str,
    pub(super) sender: &'a Sender,
}

/// A block's control records.
pub(super) struct ControlRows<'a> {
    /// The block in the batch, from 1.
    pub(super) block: u32,
    pub(super) header: &'a Columns,
    pub(super) trailer: &'a Columns,
    /// How many records stand between them.
    pub(super) details: usize,
}

impl Checks<'_, '_> {
    /// Checks the A-record.
    pub(super) fn batch_header(&self, row: &Columns, found: &mut Found) {
        let cells = &self.codec.family(self.e_manifest).header;
        self.characters(cells.layout.id, row, Place::Batch, found);
        if self.sender_named(cells, row, found) {
            let password = cells.password.map_or(&[][..], |cell| cell.raw(row));
            if !self.directory.verify_sender(self.sender, password) {
                found.add(Place::Batch, "X09");
            }
        }
        if cells.date.date(row).is_err() {
            found.add(Place::Batch, "X10");
        }
        let application = cells.application(row);
        if !application.is_empty() {
            self.application(application, Place::Batch, found);
        } else if !self.e_manifest {
            found.add(Place::Batch, "X11");
        }
    }

    /// Checks the Z-record, against the A-record.
    pub(super) fn batch_trailer(&self, header: &Columns, row: &Columns, found: &mut Found) {
        let family = self.codec.family(self.e_manifest);
        let (first, last) = (&family.header, &family.trailer);
        self.characters(last.layout.id, row, Place::Batch, found);
        self.sender_named(last, row, found);
        let mut pairs = vec![(first.date, last.date), (first.office, last.office)];
        pairs.extend(first.password.zip(last.password));
        let both_stand = |(one, other): &(Cell, Cell)| !one.is_blank(header) && !other.is_blank(row);
        pairs.extend([(first.site, last.site), (first.id, last.id)].into_iter().filter(both_stand));
        if pairs.iter().any(|(one, other)| one.raw(header) != other.raw(row)) {
            found.add(Place::Batch, "X14");
        }
    }

    fn sender_named(&self, cells: &BatchCells<'_>, row: &Columns, found: &mut Found) -> bool {
        let (site, id) = (!cells.site.is_blank(row), !cells.id.is_blank(row));
        if !site {
            found.add(Place::Batch, "X07");
        }
        if !id {
            found.add(Place::Batch, "X08");
        }
        site && id
    }

    /// Checks the application that a record names; gives what is known of it if it may be used.
    fn application(&self, code: &str, place: Place, found: &mut Found) -> Option<&Application> {
        if !self.codec.is_input_application(code) {
            found.add(place, "X12");
            return None;
        }
        // What no grammar describes cannot be read, so it is not available whatever the host says.
        if !self.codec.applications.contains_key(code) || !self.directory.application_available(code) {
            found.add(place, "X13");
            return None;
        }
        self.codec.grammar.application(code)
    }

    /// Checks the characters and fillers of a control record.
    fn characters(&self, layout: LayoutId, row: &Columns, place: Place, found: &mut Found) {
        if EnvelopeCodec::nonstandard(row).is_some() {
            found.add(place, "X40");
        }
        if self.codec.filled_filler(layout, row).is_some() {
            found.add(place, "X39");
        }
    }

    /// Checks a block's B- and Y-record.
    pub(super) fn block(&self, rows: &ControlRows<'_>, found: &mut Found) {
        let place = Place::Block { block: rows.block };
        let cells = &self.codec.block;
        let row = rows.header;
        self.characters(cells.layout.id, row, place, found);
        if rows.details == 0 {
            found.add(place, "X04");
        }
        if rows.block > 1 && self.codec.takes_one_block(self.application) {
            found.add(place, "X41");
        }
        let processing = cells.processing.party(row);
        let port_known = !processing.port.is_empty() && self.directory.knows_port(&processing.port);
        if !port_known {
            found.add(place, "X15");
        }
        if processing.filer.is_empty() {
            found.add(place, "X16");
        }
        let application = self.block_application(row, place, found);
        if port_known && !processing.filer.is_empty() {
            self.parties(row, &processing, application, place, found);
        }
        let trailer = &self.codec.family(self.e_manifest).block_trailer;
        self.characters(trailer.layout.id, rows.trailer, place, found);
        self.block_trailer(rows, trailer, place, found);
    }

    fn block_application(&self, row: &Columns, place: Place, found: &mut Found) -> Option<&Application> {
        let code = self.codec.block.application.text(row);
        if code.is_empty() {
            found.add(place, "X11");
            return None;
        }
        let application = self.application(code, place, found);
        if code != self.application {
            found.add(place, "X19");
            return None;
        }
        application
    }

    fn block_trailer(
        &self,
        rows: &ControlRows<'_>,
        trailer: &BlockTrailerCells<'_>,
        place: Place,
        found: &mut Found,
    ) {
        let header = &self.codec.block;
        let mut pairs = vec![(header.processing.office, trailer.processing.office)];
        let reported = [
            (header.processing.port, trailer.processing.port),
            (header.processing.filer, trailer.processing.filer),
            (header.application, trailer.application),
        ];
        pairs.extend(reported.into_iter().filter(|pair| !pair.0.is_blank(rows.header)));
        let differs = pairs.iter().any(|(one, other)| one.raw(rows.header) != other.raw(rows.trailer));
        // The chapter has no condition of its own for a wrong count.
        let miscounted = self.e_manifest
            && trailer.count.is_some_and(|cell| cell.digits(rows.trailer) != Ok(Some(rows.details as u64)));
        if differs || miscounted {
            found.add(place, "X32");
        }
    }

    /// Checks who answers for a block: the preparer if one is named, else the processing filer.
    fn parties(
        &self,
        row: &Columns,
        processing: &Party,
        application: Option<&Application>,
        place: Place,
        found: &mut Found,
    ) {
        let cells = &self.codec.block;
        let permit = application.is_some_and(|application| application.national_permit_required)
            && self.directory.national_permit(&processing.filer) == Permit::Missing;
        if permit {
            found.add(place, "X27");
        }
        let preparer = cells.preparer.party(row);
        match (cells.preparer_indicator.text(row), cells.preparer.is_blank(row)) {
            ("", true) => self.processing_filer(processing, application, place, found),
            ("", false) => found.add(place, "X22"),
            ("1", _) if application.is_some_and(|application| !application.preparer_allowed) => {
                found.add(place, "X23");
            }
            ("1", _) => self.preparer(&preparer, processing, application, place, found),
            _ => found.add(place, "X21"),
        }
    }

    fn processing_filer(
        &self,
        party: &Party,
        application: Option<&Application>,
        place: Place,
        found: &mut Found,
    ) {
        if self.directory.standing(party) != Standing::Active {
            found.add(place, "X17");
            return;
        }
        if !self.directory.may_transmit(self.sender, party) {
            found.add(place, "X18");
        }
        if application.is_some_and(|application| !self.directory.may_file(party, &application.code)) {
            found.add(place, "X20");
        }
        if !self.directory.local_permit_valid(party) {
            found.add(place, "X44");
        }
    }

    fn preparer(
        &self,
        party: &Party,
        processing: &Party,
        application: Option<&Application>,
        place: Place,
        found: &mut Found,
    ) {
        let before = [
            (party.port.is_empty(), "X24"),
            (party.filer.is_empty(), "X25"),
            (!party.filer.is_empty() && party.filer != processing.filer, "X26"),
        ];
        before.iter().filter(|(wrong, _)| *wrong).for_each(|(_, code)| found.add(place, code));
        if before.iter().any(|(wrong, _)| *wrong) {
            return;
        }
        match self.directory.standing(party) {
            Standing::Unknown => return found.add(place, "X28"),
            Standing::Inactive => return found.add(place, "X29"),
            Standing::Active => {}
        }
        let allowed = application.is_none_or(|known| self.directory.may_file(party, &known.code));
        let after = [
            (!allowed, "X30"),
            (!self.directory.serves_port(party, &processing.port), "X31"),
            (!self.directory.may_transmit(self.sender, party), "X43"),
            (!self.directory.local_permit_valid(party), "X44"),
        ];
        after.iter().filter(|(wrong, _)| *wrong).for_each(|(_, code)| found.add(place, code));
    }
}

/// A record that is not of 80 columns: the last one may be short (X42); for one that is long the
/// chapter has no condition, so what stands beyond is data that no standard knows (X40).
pub(super) fn lengths(batch: &RawBatch, found: &mut Found) {
    for (index, defect) in &batch.defects {
        match defect {
            Defect::Short { .. } if index + 1 == batch.rows.len() => found.add(Place::Batch, "X42"),
            Defect::Short { .. } | Defect::Long { .. } => found.add(Place::Batch, "X40"),
        }
    }
}
