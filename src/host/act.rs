//! Actions of CBP and the passing of time, done: the transition, its history, its notifications.

use jiff::Zoned;

use super::action::{
    Acted, Action, ActionError, AgencyDecision, Assignment, DocumentKind, DocumentRequest, QuotaDecision,
    Rejection, Step,
};
use super::life::{Illegal, event};
use super::notification::{AgencyStatus, Notice, Officer, QuotaLine, REMARKS_LENGTH};
use super::{Host, HostError, Life, World};
use crate::envelope::{Party, Sender};
use crate::store::{
    ControlState, EntryKey, EntrySummary, HistoryEntry, Mail, MailQuery, MailState, Store, StoreError, Unit,
};

/// Who acts where no officer does.
const SYSTEM: &str = "CBP";
/// The lists that name reasons, documents and quota statuses.
const REASONS: &str = "uc_notification_reason";
const DOCUMENTS: &str = "ae_missing_document";
const QUOTA_STATUSES: &str = "uc_quota_line_status";

/// An action taken apart.
struct Deed<'a> {
    event: &'static str,
    entry: &'a EntryKey,
    officer: Option<&'a Officer>,
    remarks: String,
    team: Option<&'a str>,
    /// The reasons of a rejection, each with its line or none.
    reasons: Vec<(&'a str, &'a str)>,
    quota: &'a [QuotaLine],
    agencies: &'a [AgencyStatus],
    is_held: bool,
}

impl<'a> Deed<'a> {
    fn new(event: &'static str, entry: &'a EntryKey, officer: Option<&'a Officer>, remarks: &str) -> Self {
        Self {
            event,
            entry,
            officer,
            remarks: remarks.to_owned(),
            team: None,
            reasons: Vec::new(),
            quota: &[],
            agencies: &[],
            is_held: false,
        }
    }

    fn step(event: &'static str, step: &'a Step) -> Self {
        Self::new(event, &step.entry, step.officer.as_ref(), &step.remarks)
    }
}

impl<S: Store> Host<'_, S> {
    /// Does what CBP does of its own accord. The change, its history and the notifications are kept in one
    /// unit of work when this returns.
    ///
    /// # Errors
    /// The table of transitions does not allow it, a code or a value is wrong, or the store failed; then
    /// nothing is kept.
    pub fn act(&mut self, action: &Action, now: &Zoned) -> Result<Acted, ActionError> {
        let mut acted = Acted::default();
        let Some(deed) = self.deed(action)? else {
            let mut unit = self.store.begin()?;
            acted.released = unit.ledger()?.release_mail()?;
            unit.commit()?;
            return Ok(acted);
        };
        let mut unit = self.store.begin()?;
        self.life.perform(&self.world, &deed, &mut unit, now, &mut acted)?;
        unit.commit()?;
        Ok(acted)
    }

    /// The mail of a mailbox that waits to be delivered, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn mail(&mut self, recipient: &Sender) -> Result<Vec<Mail>, HostError> {
        let query = MailQuery {
            recipient: Some(recipient.clone()),
            state: Some(MailState::Waiting),
            ..MailQuery::default()
        };
        Ok(self.store.begin()?.ledger()?.mail(&query)?)
    }

    /// The number of the newest mail, whoever wrote it; 0 if there has never been any.
    ///
    /// # Errors
    /// The store failed.
    pub fn newest_mail(&mut self) -> Result<i64, HostError> {
        Ok(self.store.newest_mail()?)
    }

    /// Counts the mail of a mailbox up to a number as delivered.
    ///
    /// # Errors
    /// The store failed.
    pub fn mark_delivered(&mut self, recipient: &Sender, up_to: i64, now: &Zoned) -> Result<(), HostError> {
        let mut unit = self.store.begin()?;
        unit.ledger()?.mark_delivered(recipient, up_to, now.timestamp())?;
        Ok(unit.commit()?)
    }

    /// The action taken apart and its codes looked up; none for the end of the day.
    fn deed<'a>(&self, action: &'a Action) -> Result<Option<Deed<'a>>, ActionError> {
        let deed = match action {
            Action::TakeControl(step) => Deed::step("take_control", step),
            Action::PlaceOnStatement(step) => Deed::step(event::PLACE_ON_STATEMENT, step),
            Action::TakeOffStatement(step) => Deed::step("take_off_statement", step),
            Action::Collect(step) => Deed::step(event::COLLECT, step),
            Action::Accept(step) => Deed::step("accept", step),
            Action::Modify(step) => Deed::step("modify", step),
            Action::RequestInformation(step) => Deed::step("request_information", step),
            Action::Receive(step) => Deed::step("receive", step),
            Action::Cancel(step) => Deed::step("cancel", step),
            Action::Inactivate(step) => Deed::step("inactivate", step),
            Action::Liquidate(step) => Deed::step(event::LIQUIDATE, step),
            Action::Detain(step) => Deed::step("detain", step),
            Action::ReleaseDetention(step) => Deed::step("release_detention", step),
            Action::DenyExtension(step) => Deed::step("deny_extension", step),
            Action::Reject(rejection) => {
                let Rejection { entry, reasons, officer, remarks } = rejection;
                let reasons = reasons.iter().map(|text| text.split_once('/').unwrap_or((text, "")));
                let deed = Deed::new("reject", entry, officer.as_ref(), remarks);
                Deed { reasons: reasons.collect(), ..deed }
            }
            Action::RequestDocuments(request) => self.document_request(request)?,
            Action::Review(Assignment { entry, team, officer, remarks }) => {
                Deed { team: Some(team), ..Deed::new("review", entry, officer.as_ref(), remarks) }
            }
            Action::QuotaStatus(QuotaDecision { entry, lines, at_once, officer, remarks }) => Deed {
                quota: lines,
                is_held: !at_once,
                ..Deed::new("quota_status", entry, officer.as_ref(), remarks)
            },
            Action::AgencyStatus(AgencyDecision { entry, agencies, remarks }) => {
                Deed { agencies, ..Deed::new("agency_status", entry, None, remarks) }
            }
            Action::EndOfDay {} => return Ok(None),
        };
        self.check(&deed)?;
        Ok(Some(deed))
    }

    fn document_request<'a>(&self, request: &'a DocumentRequest) -> Result<Deed<'a>, ActionError> {
        let DocumentRequest { entry, kind, documents, officer, remarks } = request;
        let event = match kind {
            DocumentKind::Invoice => "request_invoice",
            DocumentKind::Package => "request_package",
            DocumentKind::Documents => "request_documents",
        };
        let mut texts = Vec::new();
        for code in documents {
            let meaning = self.grammar.list(DOCUMENTS).and_then(|list| list.meaning(code));
            texts.push(meaning.ok_or_else(|| unknown(code, DOCUMENTS))?);
        }
        let mut text = texts.join(", ");
        if !text.is_empty() && !remarks.is_empty() {
            text.push_str(". ");
        }
        text.push_str(remarks);
        if event == "request_documents" && text.is_empty() {
            return Err(ActionError::Missing { event, what: "documents or remarks" });
        }
        Ok(Deed::new(event, entry, officer.as_ref(), &text))
    }

    fn check(&self, deed: &Deed<'_>) -> Result<(), ActionError> {
        let missing = |what| Err(ActionError::Missing { event: deed.event, what });
        let length = deed.remarks.chars().count();
        match deed.event {
            _ if length > REMARKS_LENGTH => return Err(ActionError::RemarksTooLong { length }),
            "reject" if deed.reasons.is_empty() => return missing("a reason"),
            "quota_status" if deed.quota.is_empty() => return missing("a line"),
            "agency_status" if deed.agencies.is_empty() => return missing("an agency"),
            "request_information" if deed.remarks.is_empty() => return missing("remarks"),
            "review" if deed.team.is_none_or(str::is_empty) => return missing("a team"),
            _ => {}
        }
        for (code, list) in deed
            .reasons
            .iter()
            .map(|(code, _)| (*code, REASONS))
            .chain(deed.quota.iter().map(|line| (line.status.as_str(), QUOTA_STATUSES)))
        {
            if !self.grammar.list(list).is_some_and(|known| known.contains(code)) {
                return Err(unknown(code, list));
            }
        }
        Ok(())
    }
}

fn unknown(code: &str, list: &'static str) -> ActionError {
    ActionError::UnknownCode { code: code.to_owned(), list }
}

impl Life<'_> {
    /// Does a deed: the transition, its history, its notifications.
    fn perform(
        &self,
        world: &World,
        deed: &Deed<'_>,
        unit: &mut dyn Unit,
        now: &Zoned,
        acted: &mut Acted,
    ) -> Result<(), ActionError> {
        let on_file = unit.entry_summary(deed.entry)?;
        let before = on_file.as_ref().map(|summary| summary.state);
        let illegal =
            |Illegal(reason)| ActionError::Illegal { entry: deed.entry.clone(), event: deed.event, reason };
        let transition = self.transitions.find(deed.event, before).map_err(illegal)?;
        // The table has no event of CBP's for a summary that is not on file.
        let Some(mut summary) = on_file else { return Err(illegal(Illegal("not on file".to_owned()))) };
        if deed.event == "receive" && summary.standing.request.is_empty() {
            return Err(illegal(Illegal("nothing was asked for".to_owned())));
        }
        self.transitions.apply(deed.event, transition, &mut summary, now.date());
        if deed.event == event::PLACE_ON_STATEMENT
            && let Some(statement) = self.statements.read(&summary.records)
        {
            // Before its day: from now on no other summary can be put on it (216).
            unit.ledger()?.put_statement(&statement, now.timestamp())?;
        }
        if let Some(team) = deed.team {
            summary.standing.team = team.to_ascii_uppercase();
        }
        if deed.event.starts_with("request_") {
            summary.standing.request = deed.event.to_owned();
        } else if deed.event == "receive" {
            summary.standing.request.clear();
        }
        summary.changed = now.timestamp();
        let by = deed.officer.map_or(SYSTEM, |officer| officer.name.as_str());
        acted.steps.push(step(
            unit,
            &summary,
            deed.event,
            (before, transition.next),
            by,
            &deed.remarks,
            now,
        )?);
        if !transition.disposition.is_empty() {
            let (owner, recipient) = addressee(world, &summary)
                .ok_or_else(|| ActionError::NoRecipient { filer: summary.key.filer.clone() })?;
            let reasons = if deed.reasons.is_empty() { vec![("", "")] } else { deed.reasons.clone() };
            for (reason, line) in reasons {
                let notice = Notice {
                    disposition: &transition.disposition,
                    reason,
                    line,
                    officer: deed.officer,
                    remarks: &deed.remarks,
                    quota: deed.quota,
                    agencies: deed.agencies,
                };
                let state = if deed.is_held { MailState::Held } else { MailState::Waiting };
                acted.mail.push(self.post(&notice, &summary, (&owner, &recipient), state, unit, now)?);
            }
        }
        match transition.next {
            Some(_) => unit.put_entry_summary(&summary)?,
            None => unit.remove_entry_summary(deed.entry)?,
        }
        Ok(())
    }

    /// Does what time does to a summary that is due.
    pub(super) fn pass(
        &self,
        mut summary: EntrySummary,
        unit: &mut dyn Unit,
        now: &Zoned,
        acted: &mut Acted,
    ) -> Result<(), HostError> {
        let before = summary.state;
        let event = match before {
            ControlState::TradeControl => event::PLACE_ON_STATEMENT,
            _ => event::LIQUIDATE,
        };
        summary.standing.due = None;
        if let Ok(transition) = self.transitions.find(event, Some(before)) {
            self.transitions.apply(event, transition, &mut summary, now.date());
            summary.changed = now.timestamp();
            let states = (Some(before), transition.next);
            acted.steps.push(step(unit, &summary, event, states, SYSTEM, "", now)?);
        }
        Ok(unit.put_entry_summary(&summary)?)
    }

    /// Writes a notification into the mailbox of its recipient.
    pub(super) fn post(
        &self,
        notice: &Notice<'_>,
        summary: &EntrySummary,
        (owner, recipient): (&Party, &Sender),
        state: MailState,
        unit: &mut dyn Unit,
        now: &Zoned,
    ) -> Result<i64, HostError> {
        let records = self.writer.batch(notice, summary, recipient, owner, now.datetime())?;
        Ok(unit.ledger()?.put_mail(&Mail {
            id: 0,
            recipient: recipient.clone(),
            entry: summary.key.clone(),
            written: now.timestamp(),
            state,
            delivered: None,
            records,
        })?)
    }
}

/// Keeps a step in the history.
pub(super) fn step(
    unit: &mut dyn Unit,
    summary: &EntrySummary,
    event: &str,
    (from, to): (Option<ControlState>, Option<ControlState>),
    by: &str,
    remarks: &str,
    now: &Zoned,
) -> Result<HistoryEntry, StoreError> {
    let step = HistoryEntry {
        entry: summary.key.clone(),
        at: now.timestamp(),
        by: by.to_owned(),
        event: event.to_owned(),
        from,
        to,
        version: summary.version,
        remarks: remarks.to_owned(),
    };
    unit.ledger()?.put_history(&step)?;
    Ok(step)
}

/// The owner of a summary and who is told of it: who transmitted it last; for a summary that a world
/// brings along, the first who transmits for its filer.
pub(super) fn addressee(world: &World, summary: &EntrySummary) -> Option<(Party, Sender)> {
    let standing = &summary.standing;
    if let Some(known) = standing.owner.clone().zip(standing.recipient.clone()) {
        return Some(known);
    }
    let filer = &summary.key.filer;
    let sender = world.senders().iter().find(|sender| sender.filers().contains(filer))?;
    let office = sender.offices().first().cloned().unwrap_or_default();
    let owner = Party { port: summary.port.clone(), filer: filer.clone(), office: String::new() };
    Some((owner, Sender { site: sender.site().to_owned(), id: sender.id().to_owned(), office }))
}
