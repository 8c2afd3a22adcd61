//! TLS: who the gateway is, whom it believes, and certificates for development.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

use super::config::{ClientCertificates, Config, ConfigError, TlsVersion};

/// The cryptography of every connection. It is passed where it is used: a process-wide default
/// would depend on what else is linked.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file that holds no certificate or key, or cannot be read.
    #[error("cannot read a certificate or key from {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls_pki_types::pem::Error,
    },
    /// The certificates do not fit together.
    #[error("{}", path.display())]
    Tls {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The gateway's own certificate has expired or is not yet in force.
    #[error("{}: the certificate is in force from {from} to {to}, not now", path.display())]
    NotInForce {
        /// Its file.
        path: PathBuf,
        /// When it comes into force.
        from: String,
        /// When it expires.
        to: String,
    },
    /// The authorities are of no use.
    #[error("client authority {}", path.display())]
    Authority {
        /// Their file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::server::VerifierBuilderError,
    },
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Issue(#[from] rcgen::Error),
    /// A private key that is not that of any certificate of an authority's file.
    #[error("the key in {} belongs to no certificate in {}", key.display(), certificates.display())]
    NotItsKey {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificates.
        certificates: PathBuf,
    },
    /// A private key that cannot be used to sign.
    #[error("cannot sign with the key in {}: it must be a private key in PEM, not encrypted", path.display())]
    SigningKey {
        /// The file of the key.
        path: PathBuf,
        /// What is wrong.
        source: rcgen::Error,
    },
    /// A peer's certificate has no common name, or several.
    #[error("the client certificate does not have exactly one common name")]
    CommonName,
    /// The settings are not complete.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// What a gateway shows to its peers and asks of them.
///
/// # Errors
/// A file cannot be read, or its certificate or key cannot be used.
pub fn server_tls(config: &Config) -> Result<ServerConfig, CertificateError> {
    config.check()?;
    let path = config.certificate.as_deref().ok_or(ConfigError::Missing("certificate"))?;
    let key_path = config.key.as_deref().ok_or(ConfigError::Missing("key"))?;
    warn_of_readers(key_path);
    let key = read_key(key_path)?;
    let chain = read_certificates(path)?;
    for certificate in &chain {
        check_validity(path, certificate)?;
    }
    let tls = |source| CertificateError::Tls { path: path.to_owned(), source };
    let versions: &[&rustls::SupportedProtocolVersion] = match config.oldest_tls {
        TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
        TlsVersion::Tls13 => &[&rustls::version::TLS13],
    };
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).map_err(tls)?;
    let builder = match (config.client_certificates, config.client_authority.as_deref()) {
        (ClientCertificates::None, _) => builder.with_no_client_auth(),
        (_, None) => return Err(ConfigError::Missing("client_authority").into()),
        (wanted, Some(authority)) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(
                Arc::new(read_authorities(authority)?),
                provider(),
            );
            let verifier = if config.client_revocations.is_empty() {
                verifier
            } else {
                // an authority that has no list here revokes nothing
                let lists = read_revocations(&config.client_revocations)?;
                verifier.with_crls(lists).only_check_end_entity_revocation().allow_unknown_revocation_status()
            };
            let verifier = if wanted == ClientCertificates::Optional {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            builder.with_client_cert_verifier(
                verifier
                    .build()
                    .map_err(|source| CertificateError::Authority { path: authority.to_owned(), source })?,
            )
        }
    };
    builder.with_single_cert(chain, key).map_err(tls)
}

/// The files a client needs.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The authority of the server's certificate, PEM.
    pub authority: PathBuf,
    /// The client's certificate chain and private key, PEM; none where the gateway asks for none.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// What a client shows to a gateway and asks of it.
///
/// # Errors
/// A file cannot be read, or its certificate or key cannot be used.
pub fn client_tls(credentials: &Credentials) -> Result<ClientConfig, CertificateError> {
    let authority = credentials.authority.as_path();
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|source| CertificateError::Tls { path: authority.to_owned(), source })?
        .with_root_certificates(read_authorities(authority)?);
    match &credentials.identity {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => builder
            .with_client_auth_cert(read_certificates(certificate)?, read_key(key)?)
            .map_err(|source| CertificateError::Tls { path: certificate.clone(), source }),
    }
}

/// The common name of a certificate.
///
/// # Errors
/// It cannot be read, or has no common name, or several: which one would speak for the sender?
pub fn common_name(certificate: &CertificateDer<'_>) -> Result<String, CertificateError> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::CommonName)?;
    let mut names = parsed.subject().iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.as_str().map_err(|_| CertificateError::CommonName)?.to_owned()),
        _ => Err(CertificateError::CommonName),
    }
}

/// A certificate with its private key, PEM.
pub struct Issued {
    /// The common name.
    pub name: String,
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

/// An authority with a server's certificate for this machine and one for each of its clients.
pub struct DevelopmentCertificates {
    /// The authority's certificate, PEM.
    pub authority: String,
    /// The authority's private key, PEM: with it more certificates can be signed, see [`super::Authority`].
    pub authority_key: String,
    /// The server's, for `localhost`, `127.0.0.1` and `::1`.
    pub server: Issued,
    /// The clients', in the order of their names.
    pub clients: Vec<Issued>,
}

impl DevelopmentCertificates {
    /// Makes them, the clients' with these common names.
    ///
    /// # Errors
    /// A name cannot stand in a certificate.
    pub fn issue(clients: &[&str]) -> Result<Self, CertificateError> {
        let mut params = named("abigate development authority", Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let authority = params.self_signed(&key)?.pem();
        let authority_key = key.serialize_pem();
        let issuer = Issuer::new(params, key);

        let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let server = signed("localhost", hosts, ExtendedKeyUsagePurpose::ServerAuth, &issuer)?;
        let client = |name: &&str| signed(name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth, &issuer);
        let clients = clients.iter().map(client).collect::<Result<_, _>>()?;
        Ok(Self { authority, authority_key, server, clients })
    }
}

impl fmt::Debug for DevelopmentCertificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, clients, .. } = self;
        formatter
            .debug_struct("DevelopmentCertificates")
            .field("server", server)
            .field("clients", clients)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Issued").field("name", &self.name).finish_non_exhaustive()
    }
}

/// For how many years a certificate that is made here is good, from the day before: the clocks of two machines
/// differ.
const YEARS: i16 = 5;

fn named(common_name: &str, hosts: Vec<String>) -> Result<CertificateParams, CertificateError> {
    let mut params = CertificateParams::new(hosts)?;
    let first = Timestamp::now().to_zoned(TimeZone::UTC).date().yesterday().unwrap_or(Date::MAX);
    let day = |date: Date| {
        rcgen::date_time_ymd(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = day(first);
    params.not_after = day(first.saturating_add(Span::new().years(YEARS)));
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    Ok(params)
}

pub(super) fn signed(
    name: &str,
    hosts: Vec<String>,
    purpose: ExtendedKeyUsagePurpose,
    issuer: &Issuer<'_, KeyPair>,
) -> Result<Issued, CertificateError> {
    let mut params = named(name, hosts)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![purpose];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?.pem();
    Ok(Issued { name: name.to_owned(), certificate, key: key.serialize_pem() })
}

pub(super) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let file = |source| CertificateError::File { path: path.to_owned(), source };
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(file)?.collect::<Result<_, _>>().map_err(file)?;
    if certificates.is_empty() {
        return Err(file(rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn read_revocations(
    paths: &[PathBuf],
) -> Result<Vec<CertificateRevocationListDer<'static>>, CertificateError> {
    let mut lists = Vec::new();
    for path in paths {
        let file = |source| CertificateError::File { path: path.clone(), source };
        let before = lists.len();
        for list in CertificateRevocationListDer::pem_file_iter(path).map_err(file)? {
            lists.push(list.map_err(file)?);
        }
        if lists.len() == before {
            return Err(file(rustls_pki_types::pem::Error::NoItemsFound));
        }
    }
    Ok(lists)
}

/// Whether the gateway's own certificate is in force, by the machine's clock.
fn check_validity(path: &Path, certificate: &CertificateDer<'_>) -> Result<(), CertificateError> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::CommonName)?;
    let validity = parsed.validity();
    if validity.is_valid() {
        return Ok(());
    }
    let (from, to) = (validity.not_before.to_string(), validity.not_after.to_string());
    Err(CertificateError::NotInForce { path: path.to_owned(), from, to })
}

/// Says so if others than its owner can read a private key. Containers are often given their keys that way,
/// so it is no reason not to start.
#[cfg(unix)]
fn warn_of_readers(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        let mode = format!("{:03o}", mode & 0o777);
        tracing::warn!(key = %path.display(), mode, "others than its owner can read the private key");
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_path: &Path) {}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|source| CertificateError::File { path: path.to_owned(), source })
}

fn read_authorities(path: &Path) -> Result<RootCertStore, CertificateError> {
    let mut authorities = RootCertStore::empty();
    for certificate in read_certificates(path)? {
        authorities
            .add(certificate)
            .map_err(|source| CertificateError::Tls { path: path.to_owned(), source })?;
    }
    Ok(authorities)
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn the_common_name_is_read_back() {
        let made = DevelopmentCertificates::issue(&["3901XYZ demo broker"]).unwrap();
        let client = CertificateDer::from_pem_slice(made.clients[0].certificate.as_bytes()).unwrap();
        assert_eq!(common_name(&client).unwrap(), "3901XYZ demo broker");
        assert!(!format!("{made:?}").contains("KEY"));
    }
}
