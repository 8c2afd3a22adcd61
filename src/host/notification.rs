//! UC: what CBP tells a filer about a summary (status notification chapter, ESS-14 to ESS-33).

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::envelope::{EnvelopeCodec, Notification, Party, Sender};
use crate::grammar::{Cell, Direction, Grammar, Layout, PutError, UnknownName};
use crate::store::EntrySummary;
use crate::wire::Columns;

use super::HostError;

/// The application of these notifications.
const APPLICATION: &str = "UC";
/// How long remarks may be (ESS-24).
pub(super) const REMARKS_LENGTH: usize = 500;
/// The disposition type that says a summary has moved to another filer; it names no officer (ESS-22, note 3).
pub(super) const OWNER_MOVED: &str = "8";
/// The disposition type that shows a telephone number (ESS-22).
const REJECTED: &str = "4";
/// The sources of an action: an officer, or the system (E1).
const SOURCES: [&str; 2] = ["1", "2"];

/// The officer of CBP who acts.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// The name, last name first.
    pub name: String,
    /// The telephone number, digits only; told with a rejection.
    #[serde(default)]
    pub telephone: String,
    /// Its extension.
    #[serde(default)]
    pub extension: String,
}

/// The status of a quota line (E4).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QuotaLine {
    /// The line item identifier; an asterisk in it says that CBP added the line.
    pub line: String,
    /// The status code.
    pub status: String,
    /// What was asked for, to two decimals.
    pub requested: Decimal,
    /// Its unit.
    pub unit: String,
    /// What was granted, in the same unit; none if nothing is decided.
    #[serde(default)]
    pub reserved: Option<Decimal>,
}

/// The status of an agency (SO70) with its reviews (SO71) and comments (SO72). Fields are named as in the
/// grammar, values are written as they travel.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyStatus {
    /// The agency's code.
    pub agency: String,
    /// Its program's code.
    #[serde(default)]
    pub program: String,
    /// When the agency acted; the time of the action itself if it is left out.
    #[serde(default)]
    pub at: Option<DateTime>,
    /// The status of the whole entry.
    #[serde(default)]
    pub entry_status: String,
    /// Its text.
    #[serde(default)]
    pub message: String,
    /// The status of lines.
    #[serde(default)]
    pub line_status: String,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Other fields of SO70 by name.
    #[serde(default)]
    pub fields: std::collections::BTreeMap<String, String>,
    /// The reviews, each by the names of its fields in SO71.
    #[serde(default)]
    pub reviews: Vec<std::collections::BTreeMap<String, String>>,
    /// The comments, each of one SO72.
    #[serde(default)]
    pub comments: Vec<String>,
}

/// What a notification says.
#[derive(Clone, Debug, Default)]
pub(super) struct Notice<'a> {
    pub(super) disposition: &'a str,
    pub(super) reason: &'a str,
    pub(super) line: &'a str,
    pub(super) officer: Option<&'a Officer>,
    pub(super) remarks: &'a str,
    pub(super) quota: &'a [QuotaLine],
    pub(super) agencies: &'a [AgencyStatus],
}

/// Writes notifications.
#[derive(Debug)]
pub(super) struct NotificationWriter<'g> {
    envelope: EnvelopeCodec<'g>,
    summary: SummaryCells<'g>,
    user: UserCells<'g>,
    remarks: (&'g Layout, Cell),
    quota: QuotaCells<'g>,
    agency: &'g Layout,
    review: &'g Layout,
    comment: (&'g Layout, Cell),
    statuses: &'g crate::grammar::CodeList,
}

#[derive(Debug)]
struct SummaryCells<'g> {
    layout: &'g Layout,
    disposition: Cell,
    source: Cell,
    team: Cell,
    reason: Cell,
    date: Cell,
    filer: Cell,
    number: Cell,
    line: Cell,
    reference: Cell,
}

#[derive(Debug)]
struct UserCells<'g> {
    layout: &'g Layout,
    user: Cell,
    telephone: Cell,
    action: Cell,
    extension: Cell,
}

#[derive(Debug)]
struct QuotaCells<'g> {
    layout: &'g Layout,
    line: Cell,
    status: Cell,
    description: Cell,
    requested: [Cell; 2],
    reserved: [Cell; 2],
}

impl<'g> NotificationWriter<'g> {
    pub(super) fn new(grammar: &'g Grammar) -> Result<Self, UnknownName> {
        let layout = |record| grammar.find(APPLICATION, Direction::Output, record, "");
        let (summary, user, remarks, quota) = (layout("E1")?, layout("E2")?, layout("E3")?, layout("E4")?);
        let comment = layout("SO72")?;
        let list = "uc_quota_line_status";
        Ok(Self {
            envelope: EnvelopeCodec::new(grammar)?,
            summary: SummaryCells {
                layout: summary,
                disposition: summary.cell("disposition_type_code")?,
                source: summary.cell("source_of_action_code")?,
                team: summary.cell("import_specialist_team")?,
                reason: summary.cell("notification_reason_code")?,
                date: summary.cell("date_of_action")?,
                filer: summary.cell("entry_filer_code")?,
                number: summary.cell("entry_number")?,
                line: summary.cell("line_item_identifier")?,
                reference: summary.cell("broker_reference_number")?,
            },
            user: UserCells {
                layout: user,
                user: user.cell("cbp_user")?,
                telephone: user.cell("telephone_number")?,
                action: user.cell("action_identification_number")?,
                extension: user.cell("telephone_extension_number")?,
            },
            remarks: (remarks, remarks.cell("remarks")?),
            quota: QuotaCells {
                layout: quota,
                line: quota.cell("line_item_identifier")?,
                status: quota.cell("quota_line_status_code")?,
                description: quota.cell("quota_line_status_description")?,
                requested: [
                    quota.cell("requested_quota_quantity")?,
                    quota.cell("quota_requested_unit_of_measure_code")?,
                ],
                reserved: [
                    quota.cell("reserved_quota_quantity")?,
                    quota.cell("reserved_quota_unit_of_measure_code")?,
                ],
            },
            agency: layout("SO70")?,
            review: layout("SO71")?,
            comment: (comment, comment.cell("comments_to_trade_from_pga")?),
            statuses: grammar.list(list).ok_or_else(|| UnknownName(format!("no list {list}")))?,
        })
    }

    /// The batch that tells a recipient of a summary's owner what became of it.
    pub(super) fn batch(
        &self,
        notice: &Notice<'_>,
        summary: &EntrySummary,
        receiver: &Sender,
        owner: &Party,
        now: DateTime,
    ) -> Result<Vec<Columns>, HostError> {
        let mut rows = vec![self.summary(notice, summary, now.date())?];
        if notice.disposition != OWNER_MOVED {
            rows.push(self.user(notice, summary)?);
        }
        self.remarks(&mut rows, notice.remarks)?;
        for line in notice.quota {
            rows.push(self.quota(line)?);
        }
        for status in notice.agencies {
            self.agency(&mut rows, status, now)?;
        }
        Ok(self.envelope.notification(&Notification {
            receiver: receiver.clone(),
            date: now.date(),
            application: APPLICATION.to_owned(),
            blocks: vec![(owner.clone(), rows)],
        })?)
    }

    fn summary(&self, notice: &Notice<'_>, summary: &EntrySummary, today: Date) -> Result<Columns, PutError> {
        let cells = &self.summary;
        let mut row = cells.layout.blank();
        cells.disposition.put_text(&mut row, notice.disposition)?;
        cells.source.put_text(&mut row, SOURCES[usize::from(notice.officer.is_none())])?;
        cells.team.put_text(&mut row, &summary.standing.team)?;
        cells.reason.put_text(&mut row, notice.reason)?;
        cells.date.put_date(&mut row, today)?;
        cells.filer.put_text(&mut row, &summary.key.filer)?;
        cells.number.put_text(&mut row, &summary.key.number)?;
        cells.line.put_text(&mut row, notice.line)?;
        cells.reference.put_text(&mut row, &summary.broker_reference)?;
        Ok(row)
    }

    fn user(&self, notice: &Notice<'_>, summary: &EntrySummary) -> Result<Columns, PutError> {
        let cells = &self.user;
        let mut row = cells.layout.blank();
        let number = format!("{}{}", summary.key.filer, summary.key.number);
        cells.action.put_text(&mut row, &number)?;
        if let Some(officer) = notice.officer {
            cells.user.put_text(&mut row, &officer.name.to_ascii_uppercase())?;
            if notice.disposition == REJECTED {
                cells.telephone.put_text(&mut row, &officer.telephone)?;
                cells.extension.put_text(&mut row, &officer.extension)?;
            }
        }
        Ok(row)
    }

    /// Remarks fill one record after the other, so that their columns side by side are the text again.
    fn remarks(&self, rows: &mut Vec<Columns>, text: &str) -> Result<(), PutError> {
        let (layout, cell) = &self.remarks;
        if text.len() > REMARKS_LENGTH {
            return Err(PutError::TooLong {
                value: text.to_owned(),
                needed: text.len(),
                width: REMARKS_LENGTH,
            });
        }
        let text = text.to_ascii_uppercase();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            // What is not ASCII is refused by the field; until then it must not be cut in the middle.
            let cut = rest.len().min(cell.width());
            let cut = (0..=cut).rev().find(|&cut| rest.is_char_boundary(cut)).unwrap_or(rest.len());
            let (part, behind) = rest.split_at(if cut == 0 { rest.len() } else { cut });
            let mut row = layout.blank();
            cell.put_text(&mut row, part)?;
            rows.push(row);
            rest = behind;
        }
        Ok(())
    }

    fn quota(&self, line: &QuotaLine) -> Result<Columns, PutError> {
        let cells = &self.quota;
        let mut row = cells.layout.blank();
        cells.line.put_text(&mut row, &line.line)?;
        cells.status.put_text(&mut row, &line.status)?;
        let text = self.statuses.value(&line.status, "narrative").unwrap_or_default();
        cells.description.put_text(&mut row, text)?;
        cells.requested[0].put_decimal(&mut row, line.requested)?;
        cells.requested[1].put_text(&mut row, &line.unit)?;
        if let Some(reserved) = line.reserved {
            cells.reserved[0].put_decimal(&mut row, reserved)?;
            cells.reserved[1].put_text(&mut row, &line.unit)?;
        }
        Ok(row)
    }

    fn agency(&self, rows: &mut Vec<Columns>, status: &AgencyStatus, now: DateTime) -> Result<(), HostError> {
        let at = status.at.unwrap_or(now);
        let mut row = self.agency.blank();
        let values = [
            ("government_agency_code", &status.agency),
            ("government_agency_program_code", &status.program),
            ("pga_entry_status", &status.entry_status),
            ("pga_entry_status_message", &status.message),
            ("pga_line_status", &status.line_status),
            ("status_reason_code", &status.reason),
        ];
        for (field, value) in values {
            self.agency.cell(field)?.put_text(&mut row, value)?;
        }
        self.agency.cell("status_action_date")?.put_date(&mut row, at.date())?;
        let time = u64::from(at.hour().unsigned_abs()) * 100 + u64::from(at.minute().unsigned_abs());
        self.agency.cell("status_action_time")?.put_digits(&mut row, time)?;
        put_all(self.agency, &mut row, &status.fields)?;
        rows.push(row);
        for review in &status.reviews {
            let mut row = self.review.blank();
            put_all(self.review, &mut row, review)?;
            rows.push(row);
        }
        let (layout, cell) = &self.comment;
        for comment in &status.comments {
            let mut row = layout.blank();
            cell.put_text(&mut row, &comment.to_ascii_uppercase())?;
            rows.push(row);
        }
        Ok(())
    }
}

fn put_all(
    layout: &Layout,
    row: &mut Columns,
    values: &std::collections::BTreeMap<String, String>,
) -> Result<(), HostError> {
    for (field, value) in values {
        layout.cell(field)?.put_text(row, value)?;
    }
    Ok(())
}
