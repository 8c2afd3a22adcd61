//! An authority that signs the certificates of senders: that of a development folder, or an operator's own.

use std::path::Path;

use rcgen::{ExtendedKeyUsagePurpose, Issuer, KeyPair, PublicKeyData};
use rustls_pki_types::CertificateDer;

use super::certificates::{CertificateError, Issued, read_certificates, signed};

/// An authority that can sign certificates, since its private key is at hand.
#[derive(Debug)]
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// The authority of files: its certificate may stand among others, its key has a file of its own. Both
    /// are PEM.
    ///
    /// # Errors
    /// A file cannot be read, the key cannot be used, or it is that of none of the certificates.
    pub fn open(certificates: &Path, key: &Path) -> Result<Self, CertificateError> {
        let unusable = |source| CertificateError::SigningKey { path: key.to_owned(), source };
        let text = std::fs::read_to_string(key).map_err(|source| CertificateError::File {
            path: key.to_owned(),
            source: rustls_pki_types::pem::Error::Io(source),
        })?;
        let pair = KeyPair::from_pem(&text).map_err(unusable)?;
        let public = pair.subject_public_key_info();
        let has_key = |certificate: &CertificateDer<'_>| {
            let parsed = x509_parser::parse_x509_certificate(certificate);
            parsed.is_ok_and(|(_, parsed)| parsed.public_key().raw == public)
        };
        let found = read_certificates(certificates)?.into_iter().find(has_key);
        let certificate = found.ok_or_else(|| CertificateError::NotItsKey {
            key: key.to_owned(),
            certificates: certificates.to_owned(),
        })?;
        let issuer = Issuer::from_ca_cert_der(&certificate, pair)?;
        Ok(Self { certificate, issuer })
    }

    /// Its certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate with which a sender connects.
    ///
    /// # Errors
    /// The name cannot stand in a certificate.
    pub fn issue_client(&self, name: &str) -> Result<Issued, CertificateError> {
        signed(name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth, &self.issuer)
    }
}
