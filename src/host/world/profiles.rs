//! Who may transmit and file, as batch and block checks ask for it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::{Form, KeyPart, List, Need, ReferenceColumn, ReferenceKind};
use super::reference::ReferenceTable;
use super::{World, WorldError};
use crate::envelope::{Directory, Party, Permit, Sender, Standing};
use crate::host::Peer;

/// A transmitter: a site with an identification, a password and the filers it speaks for. The hash of
/// the password stays out of `Debug`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderProfile {
    pub(super) site: String,
    pub(super) id: String,
    /// The offices it has; an empty text stands for none.
    #[serde(default = "no_office")]
    pub(super) offices: Vec<String>,
    /// The argon2 hash of its password, in PHC form.
    pub(super) password_hash: String,
    /// The common name of its client certificate.
    pub(super) certificate: Option<String>,
    pub(super) filers: Vec<String>,
}

impl SenderProfile {
    /// Its site code.
    #[must_use]
    pub fn site(&self) -> &str {
        &self.site
    }

    /// Its identification code.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its offices; an empty text stands for none.
    #[must_use]
    pub fn offices(&self) -> &[String] {
        &self.offices
    }

    /// The argon2 hash of its password, in PHC form.
    #[must_use]
    pub fn password_hash(&self) -> &str {
        &self.password_hash
    }

    /// The codes of the filers it transmits for.
    #[must_use]
    pub fn filers(&self) -> &[String] {
        &self.filers
    }

    /// The common name of its client certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }
}

impl fmt::Debug for SenderProfile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SenderProfile")
            .field("site", &self.site)
            .field("id", &self.id)
            .field("certificate", &self.certificate)
            .field("filers", &self.filers)
            .finish_non_exhaustive()
    }
}

/// What a filer is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FilerKind {
    /// A licensed customs broker.
    Broker,
    /// An importer that files for itself.
    Importer,
}

/// A filer: where it files, for which applications, and what has been agreed with it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FilerProfile {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) kind: FilerKind,
    #[serde(default)]
    pub(super) national_permit: bool,
    /// What is added to the computed check digit of its entry numbers, any of these.
    #[serde(default = "no_offset")]
    pub(super) check_digit_offsets: Vec<u8>,
    pub(super) ports: Vec<String>,
    pub(super) applications: Vec<String>,
    #[serde(default = "no_office")]
    pub(super) offices: Vec<String>,
    #[serde(default)]
    pub(super) statements: bool,
    #[serde(default)]
    pub(super) periodic_statements: bool,
    #[serde(default)]
    pub(super) client_branches: bool,
    #[serde(default)]
    pub(super) electronic_invoice: bool,
    /// The day of its monthly statement, two digits; 00 if it has chosen none, blank if it is not known
    /// (215, 313).
    #[serde(default)]
    pub(super) periodic_statement_day: String,
    /// Whether it may certify entry summaries for cargo release (149).
    #[serde(default = "yes")]
    pub(super) cargo_release_certification: bool,
    /// Whether it is an express consignment facility, which may consolidate informal entries (B74).
    #[serde(default)]
    pub(super) express_facility: bool,
    /// Whether each of its summaries must have a reference of its own (B34).
    #[serde(default)]
    pub(super) broker_reference_required: bool,
    /// Whether it is a filer of the Defense Contract Management Agency (290).
    #[serde(default)]
    pub(super) defense_contract_management: bool,
    #[serde(default = "yes")]
    pub(super) active: bool,
}

impl FilerProfile {
    /// The ports where it files.
    #[must_use]
    pub fn ports(&self) -> &[String] {
        &self.ports
    }

    /// Whether it may file an application's batches: it is active, set up for it, and has the permit that
    /// a broker needs for some of them.
    #[must_use]
    pub fn may_file(&self, application: &str, permit_required: bool) -> bool {
        let permitted = !permit_required || self.national_permit || self.kind == FilerKind::Importer;
        self.active && permitted && self.applications.iter().any(|known| known == application)
    }

    /// What may be added to the computed check digit of its entry numbers.
    #[must_use]
    pub fn check_digit_offsets(&self) -> &[u8] {
        &self.check_digit_offsets
    }

    /// Whether each of its summaries must have a reference of its own.
    #[must_use]
    pub fn requires_broker_reference(&self) -> bool {
        self.broker_reference_required
    }
}

/// The world as one peer may use it: a certificate admits only the sender it was made for.
pub(in crate::host) struct PeerDirectory<'a> {
    pub(in crate::host) world: &'a World,
    pub(in crate::host) peer: &'a dyn Peer,
    /// The applications for which there is a host.
    pub(in crate::host) applications: &'a [&'static str],
}

impl PeerDirectory<'_> {
    fn sender(&self, sender: &Sender) -> Option<&SenderProfile> {
        self.world.senders.iter().find(|known| {
            known.site == sender.site && known.id == sender.id && known.offices.contains(&sender.office)
        })
    }

    fn filer(&self, party: &Party) -> Option<&FilerProfile> {
        self.world.filers.get(&party.filer)
    }
}

impl Directory for PeerDirectory<'_> {
    fn verify_sender(&self, sender: &Sender, password: &[u8]) -> bool {
        let Some(profile) = self.sender(sender) else { return false };
        // A peer without a certificate comes where the gateway asks for none, or from the machine itself.
        let admitted =
            self.peer.certificate().is_none_or(|shown| profile.certificate.as_deref() == Some(shown));
        admitted && self.peer.knows_password(&profile.password_hash, password.trim_ascii_end())
    }

    fn application_available(&self, application: &str) -> bool {
        let switched_off = self.world.unavailable_applications.iter().any(|code| code == application);
        !switched_off && self.applications.contains(&application)
    }

    fn knows_port(&self, port: &str) -> bool {
        self.world.lists("schedule_d", port).unwrap_or(true)
    }

    fn standing(&self, party: &Party) -> Standing {
        match self.filer(party) {
            Some(filer) if !filer.ports.contains(&party.port) || !filer.offices.contains(&party.office) => {
                Standing::Unknown
            }
            Some(filer) if filer.active => Standing::Active,
            Some(_) => Standing::Inactive,
            None => Standing::Unknown,
        }
    }

    fn may_transmit(&self, sender: &Sender, party: &Party) -> bool {
        self.sender(sender).is_some_and(|profile| profile.filers.contains(&party.filer))
    }

    fn may_file(&self, party: &Party, application: &str) -> bool {
        self.filer(party).is_some_and(|filer| filer.applications.iter().any(|code| code == application))
    }

    fn serves_port(&self, preparer: &Party, port: &str) -> bool {
        self.filer(preparer).is_some_and(|filer| filer.ports.iter().any(|code| code == port))
    }

    fn national_permit(&self, filer: &str) -> Permit {
        match self.world.filers.get(filer) {
            Some(FilerProfile { kind: FilerKind::Importer, .. }) => Permit::NotNeeded,
            Some(FilerProfile { national_permit: true, .. }) => Permit::Held,
            _ => Permit::Missing,
        }
    }
}

/// The filers' profiles as a table for rules, whose columns are the profiles' own.
pub(super) fn table(filers: &[FilerProfile]) -> Result<ReferenceTable, WorldError> {
    let profiles = filers.iter().filter_map(|filer| serde_json::to_value(filer).ok());
    let profiles = profiles.collect::<Vec<_>>();
    let names = profiles.first().and_then(Value::as_object).into_iter().flat_map(|profile| profile.keys());
    let column = |name: &String| ReferenceColumn {
        name: name.clone(),
        form: Form::Text,
        need: Need::Optional,
        refers: None,
    };
    let key = vec![KeyPart { column: 0, signs: None }];
    let list = List { name: "filer".to_owned(), place: None, key, only: None, dated: false };
    let mut columns = names.map(column).collect::<Vec<_>>();
    if columns.is_empty() {
        columns.push(column(&"code".to_owned()));
    }
    let kind = ReferenceKind { name: "filer".to_owned(), columns, lists: vec![list] };
    let mut table = ReferenceTable::new(Arc::new(kind));
    for profile in &profiles {
        let cells = profile.as_object().into_iter().flat_map(|profile| profile.values()).map(text);
        table
            .push(&cells.collect::<Vec<_>>())
            .map_err(|twice| WorldError::Twice { table: "filer".to_owned(), key: twice.key })?;
    }
    Ok(table)
}

/// A value as text: several with a space between, a truth as `true` or `false`.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn no_office() -> Vec<String> {
    vec![String::new()]
}

fn no_offset() -> Vec<u8> {
    vec![0]
}

fn yes() -> bool {
    true
}
