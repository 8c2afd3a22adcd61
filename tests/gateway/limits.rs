//! What a peer cannot take from others: connections, and certificates that are changed while they are open.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_beyond_the_limit_is_refused_with_an_alert() {
    let gateway = Gateway::start(TestHost::new(), |config| config.limits.connections = 4).await;
    let mut open = Vec::new();
    for number in 0..4 {
        let mut connection = gateway.connect().await;
        // once its batch is answered, the connection has its place
        connection.send(&batch(number, PASSWORD, 1)).await;
        connection.verdict().await;
        open.push(connection);
    }
    let mut refused = TcpStream::connect(gateway.address).await.unwrap();
    let mut said = Vec::new();
    tokio::time::timeout(LONG, refused.read_to_end(&mut said)).await.expect("is kept waiting").unwrap();
    assert_eq!(said, [21, 3, 3, 0, 2, 2, 80]);
    drop(refused);
    drop(open.pop());
    loop {
        // the place is free as soon as the gateway has noticed
        let tls = abigate::gateway::client_tls(&gateway.certificates.client()).unwrap();
        if abigate::gateway::Client::connect(&gateway.address.to_string(), tls).await.is_ok() {
            break;
        }
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_nothing_keep_nobody_out() {
    let gateway = Gateway::start(TestHost::new(), |config| config.limits.handshakes = 8).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(TcpStream::connect(gateway.address).await.unwrap());
    }
    let answer = gateway.ask(&batch(1, PASSWORD, 1)).await;
    assert_eq!(answer[1], "E1A 995   3");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_speak_tls_is_hung_up_on_at_once() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &batch(1, PASSWORD, 1), b"\xC1\xF2\xF7\xF0\xF4\xC5\xC5\xC5"]
    {
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut said = Vec::new();
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut said));
        // a connection that is closed with something unread may be reset
        let _ = read.await.expect("is kept waiting");
        assert!(said.is_empty());
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_that_cannot_be_read_anew_leave_those_before_in_force() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let file = gateway.certificates.file("server.pem");
    let before = std::fs::read(&file).unwrap();
    std::fs::write(&file, "no certificate").unwrap();
    assert!(gateway.reloader.reload().is_err());
    assert_eq!(gateway.ask(&batch(1, PASSWORD, 1)).await[1], "E1A 995   3");
    std::fs::write(&file, before).unwrap();
    gateway.reloader.reload().unwrap();
    assert_eq!(gateway.ask(&batch(2, PASSWORD, 1)).await[1], "E1A 995   3");
    gateway.stop().await;
}
