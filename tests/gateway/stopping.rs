//! How a gateway stops.

use std::time::Duration;

use crate::support::{Gateway, LONG, PASSWORD, TestHost, batch};

#[tokio::test]
async fn a_batch_that_is_being_answered_gets_its_answer() {
    let (host, came, release) = TestHost::gated();
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    connection.send(&batch(1, PASSWORD, 1)).await;
    tokio::task::spawn_blocking(move || came.recv_timeout(LONG).unwrap()).await.unwrap();

    gateway.stop.cancel();
    let stopping = tokio::spawn(gateway.stop());
    release.send(()).unwrap();
    assert_eq!(connection.verdict().await, "E1A 995   3");
    assert!(connection.rest().await.is_empty());
    let report = stopping.await.unwrap();
    assert_eq!((report.batches, report.cut), (1, 0));
}

#[tokio::test]
async fn a_batch_that_has_begun_is_finished() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let mut connection = gateway.connect().await;
    let bytes = [batch(1, PASSWORD, 1), batch(2, PASSWORD, 5)].concat();
    connection.send(&bytes[..400]).await;
    // its answer shows that the gateway has the bytes behind the first batch too
    assert_eq!(connection.verdict().await, "E1A 995   3");
    gateway.stop.cancel();
    let stopping = tokio::spawn(gateway.stop());
    connection.send(&bytes[400..]).await;
    assert_eq!(connection.verdict().await, "E1A 995   7");
    assert!(connection.rest().await.is_empty());
    assert_eq!(stopping.await.unwrap().batches, 2);
}

#[tokio::test]
async fn idle_connections_are_closed_and_slow_ones_cut() {
    let gateway = Gateway::start(TestHost::new(), |config| config.timeouts.shutdown_seconds = 1).await;
    let mut idle = gateway.connect().await;
    idle.send(&batch(1, PASSWORD, 1)).await;
    assert_eq!(idle.verdict().await, "E1A 995   3");
    let mut slow = gateway.connect().await;
    slow.send(&[batch(1, PASSWORD, 1), b"A3901XYZ".to_vec()].concat()).await;
    assert_eq!(slow.verdict().await, "E1A 995   3");
    let report = gateway.stop().await;
    assert_eq!(report.cut, 1);
    assert!(idle.rest().await.is_empty());
}

#[tokio::test]
async fn nothing_is_accepted_any_more() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let address = gateway.address;
    gateway.stop().await;
    let connected =
        tokio::time::timeout(Duration::from_secs(5), tokio::net::TcpStream::connect(address)).await;
    assert!(!matches!(connected, Ok(Ok(_))));
}
