//! Who may speak: certificates and passwords.

use abigate::gateway::{Client, ClientCertificates, Credentials, TlsVersion, client_tls, provider};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Certificates, Gateway, LONG, PASSWORD, TestHost, ask, batch};

/// Whether the gateway has hung up on such a peer without an answer.
async fn refused(gateway: &Gateway, credentials: &Credentials) -> bool {
    let tls = client_tls(credentials).unwrap();
    let Ok(client) = Client::connect(&gateway.address.to_string(), tls).await else {
        return true;
    };
    // with TLS 1.3 a client learns only by reading what the server thinks of its certificate
    let mut stream = client.into_inner();
    let _ = stream.write_all(&batch(1, PASSWORD, 1)).await;
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await.expect("still open");
    read.is_err() && bytes.is_empty()
}

#[tokio::test]
async fn a_client_without_certificate_is_refused() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let without = Credentials { identity: None, ..gateway.certificates.client() };
    assert!(refused(&gateway, &without).await);
    assert_eq!(gateway.ask(&batch(1, PASSWORD, 1)).await.len(), 3);
    assert_eq!(gateway.stop().await.batches, 1);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let other = Certificates::new("test broker");
    let stranger = Credentials { identity: other.client().identity, ..gateway.certificates.client() };
    assert!(refused(&gateway, &stranger).await);
    gateway.stop().await;
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_believed() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let other = Certificates::new("test broker");
    let tls = client_tls(&other.client()).unwrap();
    assert!(Client::connect(&gateway.address.to_string(), tls).await.is_err());
    gateway.stop().await;
}

#[tokio::test]
async fn certificates_may_be_optional_or_not_asked_for() {
    for (wanted, authority) in [(ClientCertificates::Optional, true), (ClientCertificates::None, false)] {
        let gateway = Gateway::start(TestHost::new(), |config| {
            config.client_certificates = wanted;
            config.client_authority = config.client_authority.take().filter(|_| authority);
        })
        .await;
        let without = Credentials { identity: None, ..gateway.certificates.client() };
        let answer = ask(gateway.client_with(&without).await, &batch(1, PASSWORD, 1)).await;
        assert_eq!(answer[1], "E1A 995   3", "{wanted:?}");
        gateway.stop().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_answered_so() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let bytes = [batch(1, "WRONG", 1), batch(2, PASSWORD, 1), batch(3, "WRONG", 1)].concat();
    let answer = gateway.ask(&bytes).await;
    assert_eq!([&answer[1], &answer[4], &answer[7]], ["X1RFX09", "E1A 995   3", "X1RFX09"]);
    gateway.stop().await;
}

#[tokio::test]
async fn tls_1_2_is_spoken_unless_it_is_too_old() {
    for (oldest, spoken) in [(TlsVersion::Tls12, true), (TlsVersion::Tls13, false)] {
        let gateway = Gateway::start(TestHost::new(), |config| config.oldest_tls = oldest).await;
        let mut roots = rustls::RootCertStore::empty();
        for certificate in certificates(&gateway.certificates.file("ca.pem")) {
            roots.add(certificate).unwrap();
        }
        let tls = rustls::ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(
                certificates(&gateway.certificates.file("client.pem")),
                rustls_pki_types::pem::PemObject::from_pem_file(gateway.certificates.file("client-key.pem"))
                    .unwrap(),
            )
            .unwrap();
        let client = Client::connect(&gateway.address.to_string(), tls).await;
        assert_eq!(client.is_ok(), spoken);
        if let Ok(client) = client {
            assert_eq!(ask(client, &batch(1, PASSWORD, 1)).await[1], "E1A 995   3");
        }
        gateway.stop().await;
    }
}

fn certificates(path: &std::path::Path) -> Vec<rustls_pki_types::CertificateDer<'static>> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
}
