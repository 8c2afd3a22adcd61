//! What batch and block checks need to know of the parties; a host answers from its profiles.

use serde::{Deserialize, Serialize};

/// Who transmits a batch and receives its answer (A 2-8 and 38-39; B&B-9).
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Sender {
    /// The site code, by convention the port nearest to the transmitter.
    pub site: String,
    /// The transmitter's identification code.
    pub id: String,
    /// The office, empty if none is named.
    pub office: String,
}

/// A filer at a port, as the processing filer or the preparer of a block (B&B-13).
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Party {
    /// The port code.
    pub port: String,
    /// The filer code.
    pub filer: String,
    /// The office, empty if none is named.
    pub office: String,
}

/// Where a party stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// There is no profile.
    Unknown,
    /// There is a profile, but it is not active.
    Inactive,
    /// There is an active profile.
    Active,
}

/// Whether a filer needs and holds a national permit (B&B-14, note 4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Permit {
    /// The filer files for itself and needs none.
    NotNeeded,
    /// A broker with an active national permit.
    Held,
    /// A broker without one.
    Missing,
}

/// The profiles that CBP sets up beforehand. Codes are given in upper case and without spaces.
pub trait Directory {
    /// Whether the sender has an active profile for its site, id and office, and the password is the
    /// sender's (X09). The password comes as it stood, six columns with its spaces, in upper case.
    fn verify_sender(&self, sender: &Sender, password: &[u8]) -> bool;

    /// Whether an application is switched on (X13).
    fn application_available(&self, application: &str) -> bool;

    /// Whether there is such a port (X15).
    fn knows_port(&self, port: &str) -> bool;

    /// Where a processing filer (X17) or a preparer (X28, X29) stands.
    fn standing(&self, party: &Party) -> Standing;

    /// Whether the sender may transmit for the party (X18 for a processing filer, X43 for a preparer).
    fn may_transmit(&self, sender: &Sender, party: &Party) -> bool;

    /// Whether the party is set up for the application (X20 for a processing filer, X30 for a preparer).
    fn may_file(&self, party: &Party, application: &str) -> bool;

    /// Whether the preparer is set up for the processing port (X31).
    fn serves_port(&self, preparer: &Party, port: &str) -> bool;

    /// Whether the filer needs and holds a national permit (X27).
    fn national_permit(&self, filer: &str) -> Permit;

    /// Whether the port of the party that answers for a block is good for its local permit (X44). The
    /// chapter names the condition in its table of changes only, so a directory without an opinion
    /// lets every port pass.
    fn local_permit_valid(&self, party: &Party) -> bool {
        let _ = party;
        true
    }
}
