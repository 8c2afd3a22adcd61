//! Mail of the host's own accord: to whom it goes, and when it counts as delivered.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use abigate::envelope::{RawBatch, Sender};
use abigate::gateway::{Answer, AnswerError, Peer, SenderPassword};
use abigate::wire::Columns;
use tokio::io::AsyncWriteExt;

use crate::support::{CERTIFICATE, Connection, Gateway, LONG, PASSWORD, TestHost, batch};

/// The mail of one mailbox: its records, and whether it has been delivered.
type Mail = Arc<Mutex<Vec<(String, bool)>>>;

/// A [`TestHost`] with a mailbox; the number of a mail is its position from 1.
struct MailHost {
    inner: TestHost,
    certificate: &'static str,
    offices: &'static [&'static str],
    mail: Mail,
}

fn mailbox(office: &str) -> Sender {
    Sender { site: "3901".into(), id: "XYZ".into(), office: office.into() }
}

impl MailHost {
    fn new(count: usize) -> (Self, Mail) {
        let mail = (1..=count).map(|number| (format!("E1MAIL {number}"), false)).collect();
        let mail = Arc::new(Mutex::new(mail));
        let host = Self {
            inner: TestHost::new(),
            certificate: CERTIFICATE,
            offices: &["", "01"],
            mail: Arc::clone(&mail),
        };
        (host, mail)
    }
}

impl Answer for MailHost {
    fn senders(&self) -> Vec<SenderPassword> {
        let hash = abigate::gateway::hash_password(PASSWORD.as_bytes()).unwrap();
        let mailboxes = self.offices.iter().map(|office| mailbox(office)).collect();
        let certificate = Some(self.certificate.to_owned());
        vec![SenderPassword { sender: "3901/XYZ".to_owned(), hash, certificate, mailboxes }]
    }

    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError> {
        self.inner.answer(batch, peer)
    }

    fn tick(&mut self) -> Result<i64, AnswerError> {
        Ok(self.mail.lock().unwrap().len() as i64)
    }

    fn next_mail(&mut self, of: &Sender, after: i64) -> Result<Option<(i64, Vec<Columns>)>, AnswerError> {
        if *of != mailbox("") {
            return Ok(None);
        }
        let mail = self.mail.lock().unwrap();
        let waiting = (1..).zip(mail.iter()).find(|(number, (_, delivered))| *number > after && !delivered);
        Ok(waiting.map(|(number, (text, _))| {
            let mut row = [b' '; 80];
            row[..text.len()].copy_from_slice(text.as_bytes());
            (number, vec![row])
        }))
    }

    fn mark_delivered(&mut self, of: &Sender, up_to: i64) -> Result<(), AnswerError> {
        assert_eq!(*of, mailbox(""));
        self.mail.lock().unwrap()[..up_to as usize].iter_mut().for_each(|mail| mail.1 = true);
        Ok(())
    }
}

impl Connection {
    async fn mail(&mut self) -> String {
        let bytes = self.read(81).await;
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    /// Sends a batch and reads its answer, which shows whose connection this is.
    async fn identify(&mut self, number: u32) {
        self.send(&batch(number, PASSWORD, 1)).await;
        assert_eq!(self.verdict().await, "E1A 995   3");
    }
}

fn delivered(mail: &Mail) -> usize {
    mail.lock().unwrap().iter().filter(|(_, delivered)| *delivered).count()
}

/// Waits until so much is delivered.
async fn until_delivered(mail: &Mail, count: usize) {
    let waiting = async {
        while delivered(mail) < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect("not delivered");
    assert_eq!(delivered(mail), count);
}

#[tokio::test]
async fn mail_comes_behind_an_answer_and_is_delivered_when_the_connection_goes_on() {
    let (host, mail) = MailHost::new(2);
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    connection.identify(1).await;
    assert_eq!([connection.mail().await, connection.mail().await], ["E1MAIL 1", "E1MAIL 2"]);
    assert_eq!(delivered(&mail), 0);
    connection.identify(2).await;
    until_delivered(&mail, 2).await;
    gateway.stop().await;
}

#[tokio::test]
async fn new_mail_comes_on_an_idle_connection() {
    let (host, mail) = MailHost::new(0);
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    connection.identify(1).await;
    for number in 1..=3 {
        mail.lock().unwrap().push((format!("E1MAIL {number}"), false));
        assert_eq!(connection.mail().await, format!("E1MAIL {number}"));
    }
    connection.stream.shutdown().await.unwrap();
    assert!(connection.rest().await.is_empty());
    until_delivered(&mail, 3).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_certificate_with_one_mailbox_is_enough() {
    let (mut host, mail) = MailHost::new(1);
    host.offices = &[""];
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    assert_eq!(connection.mail().await, "E1MAIL 1");
    connection.stream.shutdown().await.unwrap();
    assert!(connection.rest().await.is_empty());
    until_delivered(&mail, 1).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_silent_connection_gets_the_mail_of_every_office_of_its_sender() {
    let (host, mail) = MailHost::new(2);
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    assert_eq!([connection.mail().await, connection.mail().await], ["E1MAIL 1", "E1MAIL 2"]);
    connection.stream.shutdown().await.unwrap();
    assert!(connection.rest().await.is_empty());
    until_delivered(&mail, 2).await;
    gateway.stop().await;
}

#[tokio::test]
async fn what_a_broken_connection_carried_goes_out_again() {
    let (host, mail) = MailHost::new(2);
    let gateway = Gateway::start(host, |_| ()).await;
    for _ in 0..3 {
        let mut connection = gateway.connect().await;
        connection.identify(1).await;
        assert_eq!([connection.mail().await, connection.mail().await], ["E1MAIL 1", "E1MAIL 2"]);
        // dropped without a farewell
    }
    assert_eq!(delivered(&mail), 0);
    let mut connection = gateway.connect().await;
    connection.identify(1).await;
    assert_eq!(connection.mail().await, "E1MAIL 1");
    assert_eq!(connection.mail().await, "E1MAIL 2");
    connection.stream.shutdown().await.unwrap();
    assert!(connection.rest().await.is_empty());
    until_delivered(&mail, 2).await;
    gateway.stop().await;
}

#[tokio::test]
async fn one_connection_at_a_time_empties_a_mailbox() {
    let (host, mail) = MailHost::new(50);
    let gateway = Gateway::start(host, |_| ()).await;
    let mut first = gateway.connect().await;
    first.identify(1).await;
    assert_eq!(first.mail().await, "E1MAIL 1");
    let mut second = gateway.connect().await;
    second.identify(2).await;
    // nothing has come to the second one in the meantime
    second.identify(3).await;
    for number in 2..=50 {
        assert_eq!(first.mail().await, format!("E1MAIL {number}"));
    }
    drop(first);
    for number in 1..=50 {
        assert_eq!(second.mail().await, format!("E1MAIL {number}"));
    }
    second.identify(4).await;
    until_delivered(&mail, 50).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_stranger_gets_no_mail() {
    let (mut host, mail) = MailHost::new(1);
    host.certificate = "someone else";
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    for number in 1..=5 {
        connection.identify(number).await;
    }
    connection.stream.shutdown().await.unwrap();
    assert!(connection.rest().await.is_empty());
    // the wrong password
    let (host, other) = MailHost::new(1);
    let second = Gateway::start(host, |_| ()).await;
    let answer = second.ask(&batch(1, "WRONG", 1)).await;
    assert_eq!((answer.len(), delivered(&mail), delivered(&other)), (3, 0, 0));
    gateway.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_peer_that_has_closed_its_side_gets_its_mail_another_time() {
    let (host, mail) = MailHost::new(1);
    let gateway = Gateway::start(host, |_| ()).await;
    let bytes = [batch(1, PASSWORD, 1), batch(2, PASSWORD, 1)].concat();
    let mut connection = gateway.connect().await;
    connection.send(&bytes).await;
    connection.stream.shutdown().await.unwrap();
    let answer = connection.rest().await;
    // unless the gateway found time for it before the farewell came, and then it is delivered
    assert_eq!(answer.len() / 81 - 6, delivered(&mail));
    gateway.stop().await;
}

#[tokio::test]
async fn mail_taken_before_the_gateway_stops_is_delivered_by_the_farewell() {
    let (host, mail) = MailHost::new(1);
    let gateway = Gateway::start(host, |_| ()).await;
    let mut connection = gateway.connect().await;
    connection.identify(1).await;
    assert_eq!(connection.mail().await, "E1MAIL 1");
    gateway.stop.cancel();
    let stopping = tokio::spawn(gateway.stop());
    assert!(connection.rest().await.is_empty());
    connection.stream.shutdown().await.unwrap();
    stopping.await.unwrap();
    assert_eq!(delivered(&mail), 1);
}
