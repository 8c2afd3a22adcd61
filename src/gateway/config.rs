//! The settings of a gateway, from a TOML file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::budget::BYTES_PER_RECORD;
use crate::wire::read_text;

/// The settings of a gateway. Unknown keys and settings that contradict each other are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen, as `host:port`; port 0 takes a free one.
    pub listen: String,
    /// The server's certificate chain, PEM, its own certificate first.
    pub certificate: Option<PathBuf>,
    /// The private key of that certificate, PEM.
    pub key: Option<PathBuf>,
    /// Whether peers must show a certificate.
    pub client_certificates: ClientCertificates,
    /// The authorities whose client certificates are accepted, PEM.
    pub client_authority: Option<PathBuf>,
    /// Lists of revoked client certificates, PEM, one file an authority.
    pub client_revocations: Vec<PathBuf>,
    /// The oldest TLS version spoken.
    pub oldest_tls: TlsVersion,
    /// The store's file.
    pub store: Option<PathBuf>,
    /// The world file: sites, senders, filers, ports and what else the host looks up.
    pub world: Option<PathBuf>,
    /// How much is held at once.
    pub limits: Limits,
    /// How much a peer may send.
    pub wire: crate::wire::Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// How long is kept what has been answered.
    pub keeping: Keeping,
    /// What is logged, and how.
    pub log: LogConfig,
}

/// Whether peers must show a certificate.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// Without one there is no connection.
    #[default]
    Required,
    /// One that is shown must be good; without one the password alone counts.
    Optional,
    /// None is asked for; the password alone counts.
    None,
}

/// A TLS version.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

/// How much a gateway holds at once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once; further ones are refused.
    pub connections: usize,
    /// Connections open at once from one address; half of all unless it is set.
    pub connections_per_address: Option<usize>,
    /// Connections open at once with one certificate; a quarter of all unless it is set.
    pub connections_per_certificate: Option<usize>,
    /// Connections whose handshake is not done; when further ones come, those that say nothing are closed.
    pub handshakes: usize,
    /// Batches that are examined ahead of the host.
    pub queued_batches: usize,
    /// Bytes that all batches together may take until they are answered, one sender's half of it.
    pub held_bytes: usize,
}

/// How long a gateway waits, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// For the TLS handshake.
    pub handshake_seconds: u32,
    /// Between batches.
    pub idle_seconds: u32,
    /// From the first byte of a batch to its last.
    pub batch_seconds: u32,
    /// For a peer to take an answer.
    pub write_seconds: u32,
    /// For open batches to be finished when the gateway stops.
    pub shutdown_seconds: u32,
}

/// How long a store keeps what nobody asks for in the ordinary course.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keeping {
    /// Batches with their answers, in days since they came; 0 stands for ever. Summaries, their histories and
    /// their versions stay in any case.
    pub batches_days: u32,
}

/// What is logged, and how. Passwords and taxpayer numbers never are.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// Which events: a level, or directives such as `abigate=debug,rustls=warn`.
    pub filter: String,
    /// How events are written.
    pub format: LogFormat,
}

/// How log events are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line to read.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a key or value that is not known.
    #[error("{}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// Two settings that cannot both hold.
    #[error("`{first}` and `{second}` contradict each other: {reason}")]
    Contradiction {
        /// A key.
        first: &'static str,
        /// The other key.
        second: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A setting that is needed.
    #[error("`{0}` is not set")]
    Missing(&'static str),
    /// A number that is larger than anything it could be good for.
    #[error("`{key}` is {value}, more than {most}: {reason}")]
    TooLarge {
        /// The key.
        key: &'static str,
        /// What it is.
        value: usize,
        /// What it may be.
        most: usize,
        /// Why.
        reason: &'static str,
    },
    /// A number that must not be zero.
    #[error("`{0}` must not be 0")]
    Zero(&'static str),
}

impl Config {
    /// Reads a file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// It cannot be read, or holds what is not known. [`Config::check`] tells whether it makes sense.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|source| ConfigError::Parse { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = [
            &mut config.certificate,
            &mut config.key,
            &mut config.client_authority,
            &mut config.store,
            &mut config.world,
        ];
        for path in paths.into_iter().flatten().chain(&mut config.client_revocations) {
            *path = folder.join(&path);
        }
        Ok(config)
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// The first that does not, with the keys concerned.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_certificates()?;
        let numbers = [
            ("limits.connections", self.limits.connections == 0),
            ("limits.connections_per_address", self.limits.connections_per_address == Some(0)),
            ("limits.connections_per_certificate", self.limits.connections_per_certificate == Some(0)),
            ("limits.handshakes", self.limits.handshakes == 0),
            ("limits.queued_batches", self.limits.queued_batches == 0),
            ("limits.held_bytes", self.limits.held_bytes == 0),
            ("wire.records_per_batch", self.wire.records_per_batch == 0),
            ("wire.bytes_per_batch", self.wire.bytes_per_batch == 0),
            ("wire.records_per_transaction", self.wire.records_per_transaction == 0),
            ("timeouts.handshake_seconds", self.timeouts.handshake_seconds == 0),
            ("timeouts.idle_seconds", self.timeouts.idle_seconds == 0),
            ("timeouts.batch_seconds", self.timeouts.batch_seconds == 0),
            ("timeouts.write_seconds", self.timeouts.write_seconds == 0),
        ];
        match numbers.into_iter().find(|(_, zero)| *zero) {
            Some((key, _)) => Err(ConfigError::Zero(key)),
            None => self.check_limits(),
        }
    }

    /// Whether the limits can be kept and leave room for what they allow.
    fn check_limits(&self) -> Result<(), ConfigError> {
        const FILES: usize = 1 << 20;
        let Limits { connections, handshakes, held_bytes, .. } = self.limits;
        let wire = &self.wire;
        let memory = memory().unwrap_or(usize::MAX);
        let (few_files, too_little) = ("no process may open more files", "the machine has no more memory");
        let bounds = [
            ("limits.connections", connections, FILES, few_files),
            ("limits.handshakes", handshakes, FILES, few_files),
            ("limits.queued_batches", self.limits.queued_batches, FILES, few_files),
            ("limits.held_bytes", held_bytes, memory, too_little),
            ("wire.bytes_per_batch", wire.bytes_per_batch, memory, too_little),
            ("wire.line_length", wire.line_length, wire.bytes_per_batch, "a line is part of a batch"),
        ];
        if let Some((key, value, most, reason)) = bounds.into_iter().find(|(_, value, most, _)| value > most)
        {
            return Err(ConfigError::TooLarge { key, value, most, reason });
        }
        let per_address = self.limits.connections_per_address.is_some_and(|count| count > connections);
        let per_certificate =
            self.limits.connections_per_certificate.is_some_and(|count| count > connections);
        let of_a_batch = wire.records_per_batch.saturating_mul(BYTES_PER_RECORD);
        let contradictions = [
            (
                per_address,
                "limits.connections_per_address",
                "limits.connections",
                "a part is larger than all",
            ),
            (
                per_certificate,
                "limits.connections_per_certificate",
                "limits.connections",
                "a part is larger than all",
            ),
            (
                of_a_batch > held_bytes / 2,
                "limits.held_bytes",
                "wire.records_per_batch",
                "the largest batch needs 256 bytes a record, and one sender may hold half of the bytes",
            ),
        ];
        match contradictions.into_iter().find(|(holds, ..)| *holds) {
            Some((_, first, second, reason)) => Err(ConfigError::Contradiction { first, second, reason }),
            None => Ok(()),
        }
    }

    fn check_certificates(&self) -> Result<(), ConfigError> {
        let contradiction = |first, second, reason| Err(ConfigError::Contradiction { first, second, reason });
        match (&self.certificate, &self.key) {
            (Some(_), Some(_)) => {}
            (Some(_), None) => {
                return contradiction("certificate", "key", "a certificate is set but the key is not");
            }
            (None, Some(_)) => {
                return contradiction("key", "certificate", "a key is set but the certificate is not");
            }
            (None, None) => return Err(ConfigError::Missing("certificate")),
        }
        let asked = self.client_certificates != ClientCertificates::None;
        match (asked, &self.client_authority) {
            (true, None) => contradiction(
                "client_certificates",
                "client_authority",
                "client certificates are asked for but no authority is set to check them against",
            ),
            (false, None) if !self.client_revocations.is_empty() => contradiction(
                "client_certificates",
                "client_revocations",
                "revocations are set but no client certificates are asked for",
            ),
            (false, Some(_)) => contradiction(
                "client_certificates",
                "client_authority",
                "an authority is set but no client certificates are asked for",
            ),
            _ => Ok(()),
        }
    }
}

/// How much memory the machine has, in bytes, where the system says so.
fn memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes = line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?;
    kilobytes.checked_mul(1024)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7443".to_owned(),
            certificate: None,
            key: None,
            client_certificates: ClientCertificates::default(),
            client_authority: None,
            client_revocations: Vec::new(),
            oldest_tls: TlsVersion::default(),
            store: None,
            world: None,
            limits: Limits::default(),
            wire: crate::wire::Limits::default(),
            timeouts: Timeouts::default(),
            keeping: Keeping::default(),
            log: LogConfig::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_address: None,
            connections_per_certificate: None,
            handshakes: 256,
            queued_batches: 64,
            held_bytes: 256 << 20,
        }
    }
}

impl Limits {
    /// A share of all connections, but so many that one peer with a few is never in its own way.
    const FEWEST: usize = 4;

    pub(super) fn per_address(&self) -> usize {
        self.connections_per_address.unwrap_or((self.connections / 2).max(Self::FEWEST))
    }

    pub(super) fn per_certificate(&self) -> usize {
        self.connections_per_certificate.unwrap_or((self.connections / 4).max(Self::FEWEST))
    }
}

impl Default for Keeping {
    fn default() -> Self {
        // five years, as brokers and importers keep records of entries (19 CFR 163.4)
        Self { batches_days: 1827 }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake_seconds: 10,
            idle_seconds: 600,
            batch_seconds: 120,
            write_seconds: 60,
            shutdown_seconds: 30,
        }
    }
}

impl Timeouts {
    pub(super) fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds.into())
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.into())
    }

    pub(super) fn batch(&self) -> Duration {
        Duration::from_secs(self.batch_seconds.into())
    }

    pub(super) fn write(&self) -> Duration {
        Duration::from_secs(self.write_seconds.into())
    }

    pub(super) fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds.into())
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::default() }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn parse(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn unknown_keys_are_refused() {
        for text in ["lisen = \"127.0.0.1:1\"", "[limits]\nconections = 1", "[timeouts]\nidle = 1"] {
            assert!(toml::from_str::<Config>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn contradictions_name_both_keys() {
        let cases = [
            ("certificate = \"c\"", "certificate", "key"),
            ("key = \"k\"", "key", "certificate"),
            ("certificate = \"c\"\nkey = \"k\"", "client_certificates", "client_authority"),
            (
                "certificate = \"c\"\nkey = \"k\"\nclient_certificates = \"none\"\nclient_authority = \"a\"",
                "client_certificates",
                "client_authority",
            ),
        ];
        for (text, first, second) in cases {
            let message = parse(text).check().unwrap_err().to_string();
            assert!(
                message.contains(&format!("`{first}`")) && message.contains(&format!("`{second}`")),
                "{message}"
            );
        }
    }

    #[test]
    fn what_makes_sense_passes() {
        let required = "certificate = \"c\"\nkey = \"k\"\nclient_authority = \"a\"";
        assert!(parse(required).check().is_ok());
        assert!(parse("certificate = \"c\"\nkey = \"k\"\nclient_certificates = \"none\"").check().is_ok());
        let zero = parse(&format!("{required}\n[timeouts]\nidle_seconds = 0")).check().unwrap_err();
        assert!(matches!(zero, ConfigError::Zero("timeouts.idle_seconds")));
    }

    #[test]
    fn limits_that_cannot_be_kept_are_refused_and_named() {
        let required = "certificate = \"c\"\nkey = \"k\"\nclient_authority = \"a\"\n";
        let cases = [
            ("[limits]\nhandshakes = 0", "`limits.handshakes` must not be 0"),
            ("[limits]\nheld_bytes = 9000000000000000", "`limits.held_bytes` is 9000000000000000"),
            ("[limits]\nconnections = 99999999", "`limits.connections` is 99999999"),
            ("[limits]\nconnections_per_address = 257", "`limits.connections_per_address` and `limits.conn"),
            ("[limits]\nheld_bytes = 1000000", "`limits.held_bytes` and `wire.records_per_batch`"),
            ("[wire]\nrecords_per_batch = 0", "`wire.records_per_batch` must not be 0"),
        ];
        for (text, said) in cases {
            let message = parse(&format!("{required}{text}")).check().unwrap_err().to_string();
            assert!(message.contains(said), "{text}: {message}");
        }
    }

    #[test]
    fn the_documented_settings_are_the_defaults() {
        let document = include_str!("../../docs/gateway.md");
        let block = document.split("```toml").nth(1).unwrap().split("```").next().unwrap();
        let config = parse(block);
        assert!(config.check().is_ok());
        let defaults = Config::default();
        assert_eq!(format!("{:?}", config.timeouts), format!("{:?}", defaults.timeouts));
        assert_eq!(format!("{:?}", config.limits), format!("{:?}", defaults.limits));
        assert_eq!(config.keeping.batches_days, defaults.keeping.batches_days);
        assert_eq!((config.wire, config.listen), (defaults.wire, defaults.listen));
    }
}
