//! PKCS #12 files (RFC 7292): a certificate, its private key and its authority under a passphrase, for
//! browsers, Windows and Java.
//!
//! Only writing, and one kind: AES-256 and PBKDF2 with HMAC-SHA-256 (RFC 8018), which OpenSSL since 1.1,
//! Windows since 10 (1709) and Java since 8u301 read. The crates that write such files bring thirty others and a
//! second implementation of every cipher; those that are needed here are in the tree.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::{digest, hmac, pbkdf2};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, Tag, construct_der};
use zeroize::Zeroizing;

use super::certificates::{Issued, provider};

const DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 1];
const ENCRYPTED_DATA: &[u64] = &[1, 2, 840, 113_549, 1, 7, 6];
const SHROUDED_KEY_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 2];
const CERTIFICATE_BAG: &[u64] = &[1, 2, 840, 113_549, 1, 12, 10, 1, 3];
const X509_CERTIFICATE: &[u64] = &[1, 2, 840, 113_549, 1, 9, 22, 1];
const FRIENDLY_NAME: &[u64] = &[1, 2, 840, 113_549, 1, 9, 20];
const LOCAL_KEY_ID: &[u64] = &[1, 2, 840, 113_549, 1, 9, 21];
const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const HMAC_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const AES_256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];
const SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];

/// How often a passphrase is hashed.
const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(99_999);
const SALT_LENGTH: usize = 16;
/// The block of SHA-256, to a multiple of which the key derivation of PKCS #12 fills up (RFC 7292, B.2).
const HASH_BLOCK: usize = 64;
/// The diversifier of a key for a message authentication code (RFC 7292, B.3).
const FOR_MAC: u8 = 3;

/// Letters and digits that cannot be taken for each other.
const PLAIN: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Why no file could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// What was issued is no PEM.
    #[error("a certificate or key is not PEM")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// The system has no random numbers to give.
    #[error("no random numbers from the system")]
    Random,
    /// The cipher refuses.
    #[error("cannot encrypt")]
    Cipher,
}

/// A random word of letters and digits that are not mixed up when they are read aloud: a password or a
/// passphrase. Each sign is worth five bits.
///
/// # Errors
/// The system has no random numbers to give.
pub fn random_word(length: usize) -> Result<Zeroizing<String>, Pkcs12Error> {
    let bytes = Zeroizing::new(random(length)?);
    let sign = |byte: &u8| char::from(PLAIN[usize::from(*byte) % PLAIN.len()]);
    Ok(Zeroizing::new(bytes.iter().map(sign).collect()))
}

/// The file of a certificate with its key and its authority's certificate.
///
/// # Errors
/// What was issued is no PEM, or the system has no random numbers to give.
pub fn pkcs12(
    issued: &Issued,
    authority: &CertificateDer<'_>,
    passphrase: &str,
) -> Result<Vec<u8>, Pkcs12Error> {
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes())?;
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from_pem_slice(issued.key.as_bytes())?;
    let key_id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &certificate);
    let own = Some((issued.name.as_str(), key_id.as_ref()));

    let key = Encrypted::new(key.secret_pkcs8_der(), passphrase)?;
    let key_bag = construct_der(|writer| {
        writer.write_sequence_of(|bags| {
            bag(bags.next(), SHROUDED_KEY_BAG, own, |value| {
                value.write_sequence(|fields| {
                    key.write_algorithm(fields.next());
                    fields.next().write_bytes(&key.bytes);
                });
            });
        });
    });
    let certificate_bags = construct_der(|writer| {
        writer.write_sequence_of(|bags| {
            for (der, own) in [(&certificate, own), (authority, None)] {
                bag(bags.next(), CERTIFICATE_BAG, own, |value| {
                    value.write_sequence(|fields| {
                        write_oid(fields.next(), X509_CERTIFICATE);
                        fields.next().write_tagged(Tag::context(0), |inner| inner.write_bytes(der));
                    });
                });
            }
        });
    });
    let certificates = Encrypted::new(&certificate_bags, passphrase)?;
    let safe = construct_der(|writer| {
        writer.write_sequence_of(|contents| {
            data(contents.next(), &key_bag);
            encrypted_data(contents.next(), &certificates);
        });
    });
    let salt = random(SALT_LENGTH)?;
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &mac_key(passphrase, &salt)), &safe);
    Ok(construct_der(|writer| {
        writer.write_sequence(|fields| {
            fields.next().write_u8(3);
            data(fields.next(), &safe);
            fields.next().write_sequence(|fields| {
                fields.next().write_sequence(|fields| {
                    fields.next().write_sequence(|fields| {
                        write_oid(fields.next(), SHA256);
                        fields.next().write_null();
                    });
                    fields.next().write_bytes(mac.as_ref());
                });
                fields.next().write_bytes(&salt);
                fields.next().write_u32(ITERATIONS.get());
            });
        });
    }))
}

/// What a passphrase protects, with how.
struct Encrypted {
    salt: Vec<u8>,
    vector: Vec<u8>,
    bytes: Vec<u8>,
}

impl Encrypted {
    fn new(plain: &[u8], passphrase: &str) -> Result<Self, Pkcs12Error> {
        let salt = random(SALT_LENGTH)?;
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, passphrase.as_bytes(), &mut key[..]);
        let key = UnboundCipherKey::new(&AES_256, &key[..]).map_err(|_| Pkcs12Error::Cipher)?;
        let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_| Pkcs12Error::Cipher)?;
        let mut bytes = plain.to_vec();
        match cipher.encrypt(&mut bytes) {
            Ok(DecryptionContext::Iv128(vector)) => {
                Ok(Self { salt, vector: vector.as_ref().to_vec(), bytes })
            }
            _ => Err(Pkcs12Error::Cipher),
        }
    }

    fn write_algorithm(&self, writer: DERWriter<'_>) {
        writer.write_sequence(|fields| {
            write_oid(fields.next(), PBES2);
            fields.next().write_sequence(|fields| {
                fields.next().write_sequence(|fields| {
                    write_oid(fields.next(), PBKDF2);
                    fields.next().write_sequence(|fields| {
                        fields.next().write_bytes(&self.salt);
                        fields.next().write_u32(ITERATIONS.get());
                        fields.next().write_sequence(|fields| {
                            write_oid(fields.next(), HMAC_SHA256);
                            fields.next().write_null();
                        });
                    });
                });
                fields.next().write_sequence(|fields| {
                    write_oid(fields.next(), AES_256_CBC);
                    fields.next().write_bytes(&self.vector);
                });
            });
        });
    }
}

fn write_oid(writer: DERWriter<'_>, oid: &[u64]) {
    writer.write_oid(&ObjectIdentifier::from_slice(oid));
}

/// A bag with its value, and the name and key that it belongs to.
fn bag(writer: DERWriter<'_>, kind: &[u64], own: Option<(&str, &[u8])>, value: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|fields| {
        write_oid(fields.next(), kind);
        fields.next().write_tagged(Tag::context(0), value);
        let Some((name, key_id)) = own else { return };
        fields.next().write_set_of(|attributes| {
            attribute(attributes.next(), FRIENDLY_NAME, |value| value.write_bmp_string(name));
            attribute(attributes.next(), LOCAL_KEY_ID, |value| value.write_bytes(key_id));
        });
    });
}

fn attribute(writer: DERWriter<'_>, kind: &[u64], value: impl FnOnce(DERWriter<'_>)) {
    writer.write_sequence(|fields| {
        write_oid(fields.next(), kind);
        fields.next().write_set_of(|values| value(values.next()));
    });
}

fn data(writer: DERWriter<'_>, content: &[u8]) {
    writer.write_sequence(|fields| {
        write_oid(fields.next(), DATA);
        fields.next().write_tagged(Tag::context(0), |inner| inner.write_bytes(content));
    });
}

fn encrypted_data(writer: DERWriter<'_>, content: &Encrypted) {
    writer.write_sequence(|fields| {
        write_oid(fields.next(), ENCRYPTED_DATA);
        fields.next().write_tagged(Tag::context(0), |inner| {
            inner.write_sequence(|fields| {
                fields.next().write_u8(0);
                fields.next().write_sequence(|fields| {
                    write_oid(fields.next(), DATA);
                    content.write_algorithm(fields.next());
                    fields.next().write_tagged_implicit(Tag::context(0), |bytes| {
                        bytes.write_bytes(&content.bytes);
                    });
                });
            });
        });
    });
}

/// The key of the file's authentication code (RFC 7292, B.2). It is as long as one hash, so that the first
/// round of the derivation gives all of it.
fn mac_key(passphrase: &str, salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let wide = passphrase.encode_utf16().chain([0]).flat_map(u16::to_be_bytes);
    let wide = Zeroizing::new(wide.collect::<Vec<_>>());
    let mut input = Zeroizing::new(vec![FOR_MAC; HASH_BLOCK]);
    for text in [salt, &wide] {
        let length = text.len().next_multiple_of(HASH_BLOCK);
        input.extend(text.iter().cycle().take(length));
    }
    let mut hash = Zeroizing::new(digest::digest(&digest::SHA256, &input).as_ref().to_vec());
    for _ in 1..ITERATIONS.get() {
        let next = digest::digest(&digest::SHA256, &hash);
        hash.copy_from_slice(next.as_ref());
    }
    hash
}

fn random(length: usize) -> Result<Vec<u8>, Pkcs12Error> {
    let mut bytes = vec![0; length];
    provider().secure_random.fill(&mut bytes).map_err(|_| Pkcs12Error::Random)?;
    Ok(bytes)
}
