//! Batches on connections.

use tokio::io::AsyncWriteExt;

use crate::support::{Gateway, PASSWORD, TestHost, batch};

#[tokio::test]
async fn a_batch_is_answered() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let answer = gateway.ask(&batch(7, PASSWORD, 5)).await;
    assert_eq!(answer.len(), 3);
    assert!(answer[0].starts_with("A3901XYZ      112226") && answer[0].contains("BATCH 7"));
    assert_eq!(answer[1], "E1A 995   7");
    let report = gateway.stop().await;
    assert_eq!((report.connections, report.batches, report.cut), (1, 1, 0));
}

#[tokio::test]
async fn batches_of_a_connection_are_answered_in_order() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let bytes: Vec<u8> = (1..=20).flat_map(|number| batch(number, PASSWORD, number as usize)).collect();
    let answer = gateway.ask(&bytes).await;
    assert_eq!(answer.len(), 60);
    for (number, answer) in (1..).zip(answer.chunks(3)) {
        assert!(answer[0].ends_with(&format!("BATCH {number}")));
        assert_eq!(answer[1], format!("E1A 995   {}", number + 2));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_connection_may_wait_for_each_answer() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let mut connection = gateway.connect().await;
    for number in 1..=3 {
        connection.send(&batch(number, PASSWORD, 1)).await;
        assert_eq!(connection.verdict().await, "E1A 995   3");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn bytes_may_come_one_by_one() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let mut connection = gateway.connect().await;
    for byte in [batch(1, PASSWORD, 1), batch(2, PASSWORD, 2)].concat() {
        connection.send(&[byte]).await;
    }
    assert_eq!(connection.verdict().await, "E1A 995   3");
    assert_eq!(connection.verdict().await, "E1A 995   4");
    gateway.stop().await;
}

#[tokio::test]
async fn answers_are_separated_as_the_peer_separates() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let lines = String::from_utf8(batch(1, PASSWORD, 1)).unwrap();
    for separator in ["\r\n", ""] {
        let mut connection = gateway.connect().await;
        connection.send(lines.replace('\n', separator).as_bytes()).await;
        connection.stream.shutdown().await.unwrap();
        let answer = connection.rest().await;
        assert_eq!(answer.len(), 3 * (80 + separator.len()), "{separator:?}");
        assert!(answer.ends_with(separator.as_bytes()));
    }
    gateway.stop().await;
}

#[tokio::test]
async fn half_a_batch_is_answered_when_the_peer_closes() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let whole = batch(1, PASSWORD, 3);
    for length in [90, 2 * 81, 2 * 81 + 40, whole.len() - 81] {
        let answer = gateway.ask(&whole[..length]).await;
        assert_eq!(answer[1], "X1RFX06", "{length} bytes");
    }
    let answer = gateway.ask(&[&whole[..], &whole[..200]].concat()).await;
    assert_eq!([&answer[1], &answer[4]], ["E1A 995   5", "X1RFX06"]);
    gateway.stop().await;
}

#[tokio::test]
async fn half_a_batch_is_not_waited_for_for_ever() {
    let gateway = Gateway::start(TestHost::new(), |config| config.timeouts.batch_seconds = 1).await;
    let mut connection = gateway.connect().await;
    connection.send(&batch(1, PASSWORD, 3)[..200]).await;
    assert_eq!(connection.verdict().await, "X1RFX06");
    assert!(connection.rest().await.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn an_idle_peer_is_let_go() {
    let gateway = Gateway::start(TestHost::new(), |config| config.timeouts.idle_seconds = 1).await;
    let mut connection = gateway.connect().await;
    connection.send(&batch(1, PASSWORD, 1)).await;
    assert_eq!(connection.verdict().await, "E1A 995   3");
    assert!(connection.rest().await.is_empty());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_connections_are_served_at_once() {
    const CONNECTIONS: u32 = 40;
    let gateway = Gateway::start(TestHost::new(), |config| {
        config.limits.connections_per_certificate = Some(CONNECTIONS as usize);
        config.limits.queued_batches = 2;
    })
    .await;
    let gateway = std::sync::Arc::new(gateway);
    let peers: Vec<_> = (0..CONNECTIONS)
        .map(|peer| {
            let gateway = std::sync::Arc::clone(&gateway);
            tokio::spawn(async move {
                let bytes: Vec<u8> =
                    (0..3).flat_map(|batch| self::batch(peer * 3 + batch, PASSWORD, 50)).collect();
                let answer = gateway.ask(&bytes).await;
                for (batch, answer) in (0..3).zip(answer.chunks(3)) {
                    assert!(answer[0].ends_with(&format!("BATCH {}", peer * 3 + batch)));
                    assert_eq!(answer[1], "E1A 995   52");
                }
                answer.len()
            })
        })
        .collect();
    for peer in peers {
        assert_eq!(peer.await.unwrap(), 9);
    }
    let report = std::sync::Arc::into_inner(gateway).unwrap().stop().await;
    assert_eq!((report.connections, report.batches), (u64::from(CONNECTIONS), u64::from(CONNECTIONS) * 3));
}

#[tokio::test]
async fn a_peer_that_does_not_read_holds_up_nobody_else() {
    let gateway = Gateway::start(TestHost::new(), |config| config.timeouts.write_seconds = 1).await;
    let mut deaf = gateway.connect().await;
    let mut big = batch(1, PASSWORD, 1);
    big[5..8].copy_from_slice(b"BIG");
    deaf.send(&big).await;
    assert_eq!(gateway.ask(&batch(2, PASSWORD, 1)).await[1], "E1A 995   3");
    let report = gateway.stop().await;
    assert_eq!((report.connections, report.cut), (2, 0));
}

#[tokio::test]
async fn a_peer_beyond_the_limits_is_let_go() {
    let gateway = Gateway::start(TestHost::new(), |config| config.wire.records_per_batch = 10).await;
    let mut connection = gateway.connect().await;
    connection.send(&batch(1, PASSWORD, 20)).await;
    assert!(connection.until_hung_up().await.is_empty());
    assert_eq!(gateway.ask(&batch(2, PASSWORD, 8)).await[1], "E1A 995   10");
    gateway.stop().await;
}

#[tokio::test]
async fn what_the_host_cannot_answer_ends_its_connection_only() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let mut connection = gateway.connect().await;
    connection.send(&batch(1, "BROKEN", 1)).await;
    assert!(connection.until_hung_up().await.is_empty());
    assert_eq!(gateway.ask(&batch(2, PASSWORD, 1)).await[1], "E1A 995   3");
    gateway.stop().await;
}

#[tokio::test]
async fn the_last_separator_may_be_missing() {
    let gateway = Gateway::start(TestHost::new(), |_| ()).await;
    let mut connection = gateway.connect().await;
    let bytes = batch(1, PASSWORD, 1);
    connection.send(bytes.strip_suffix(b"\n").unwrap()).await;
    assert_eq!(connection.verdict().await, "E1A 995   3");
    connection.send(&[&b"\n"[..], &batch(2, PASSWORD, 2)].concat()).await;
    assert_eq!(connection.verdict().await, "E1A 995   4");
    gateway.stop().await;
}
