//! `abigate demo --scenario`: a story, told over TLS.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use include_dir::{Dir, include_dir};
use jiff::civil::DateTime;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::annotate::Annotator;
use super::demo::temporary_folder;
use super::output::Output;
use super::{Ending, development};
use crate::envelope::{RawBatch, Sender};
use crate::gateway::{Answer, AnswerError, Client, Outliner, Peer, SenderPassword, Server, client_tls};
use crate::grammar::Grammar;
use crate::host::{Action, World};
use crate::scenario::{Rehearsal, Stage, StageError, Step, StepKind, Story, play};
use crate::store::EntryKey;
use crate::wire::{Columns, read_text};

static STORIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/samples/scenarios");

/// How long a connection stays open behind a batch when mail waits for its sender.
const MAIL_WAIT: Duration = Duration::from_secs(2);

/// Prints the names and titles of the stories that come with the program.
pub(super) fn list(output: &mut Output) -> anyhow::Result<Ending> {
    let mut files = STORIES.files().collect::<Vec<_>>();
    files.sort_by_key(|file| file.path());
    for file in files.into_iter().filter(|file| is_story(file.path())) {
        let name = file.path().file_stem().unwrap_or_default().to_string_lossy();
        let story =
            Story::parse(file.contents_utf8().unwrap_or_default()).with_context(|| name.to_string())?;
        writeln!(output, "{name:36}  {}", story.title)?;
    }
    Ok(Ending::Clean)
}

fn is_story(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "toml")
}

/// Performs a story by its name, or that of a file.
pub(super) fn perform(name: &str, output: Output) -> anyhow::Result<Ending> {
    let story = Story::parse(&text(name)?).with_context(|| name.to_owned())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = temporary_folder()?;
    let world = Rehearsal::world(&story).map_err(anyhow::Error::from_boxed)?;
    let mut config = development::prepare(folder.path(), &world)?;
    "127.0.0.1:0".clone_into(&mut config.listen);
    let rehearsal = Rehearsal::new(&story).map_err(anyhow::Error::from_boxed)?;
    let stage = SharedStage(Arc::new(Mutex::new(rehearsal)));
    let server = runtime.block_on(Server::bind(&config, stage.clone()))?;
    let mut theatre = Theatre {
        address: server.local_addr()?.to_string(),
        folder: folder.path().to_owned(),
        outliner: Outliner::new(Grammar::builtin())?,
        runtime: &runtime,
        stage,
        world,
    };
    let stop = CancellationToken::new();
    let serving = runtime.spawn(server.run(stop.clone().cancelled_owned()));

    let mut program = Program { annotator: Annotator::new()?, output, failed: None };
    writeln!(program.output, "{}\n\n{}\nPages: {}\n", story.title, story.about, story.pages.join(", "))?;
    let played = play(&story, &mut theatre, |step, rows, words| program.show(step, rows, words));
    stop.cancel();
    runtime.block_on(serving)??;
    let differences = played.map_err(anyhow::Error::from_boxed)?;
    if let Some(error) = program.failed {
        return Err(error.into());
    }
    for difference in &differences {
        let both = format!("told:\n{}\nfound:\n{}", difference.expected, difference.found);
        writeln!(program.output, "step {} went another way\n{both}", difference.step)?;
    }
    let (steps, others) = (story.steps.len(), differences.len());
    writeln!(program.output, "{steps} steps, {} as told", steps - others)?;
    Ok(if differences.is_empty() { Ending::Clean } else { Ending::Findings })
}

fn text(name: &str) -> anyhow::Result<String> {
    if let Some(text) = STORIES.get_file(format!("{name}.toml")).and_then(|file| file.contents_utf8()) {
        return Ok(text.to_owned());
    }
    if !is_story(Path::new(name)) {
        bail!("no story {name:?}; --list prints those that come with the program, or name a TOML file");
    }
    read_text(Path::new(name)).with_context(|| name.to_owned())
}

/// A host that answers the gateway's connections and does what the story says beside them.
#[derive(Clone)]
struct SharedStage(Arc<Mutex<Rehearsal>>);

impl SharedStage {
    fn lock(&self) -> MutexGuard<'_, Rehearsal> {
        // what a panic left behind shows itself as a difference
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer for SharedStage {
    fn senders(&self) -> Vec<SenderPassword> {
        SenderPassword::of_world(self.lock().host().world())
    }

    fn answer(&mut self, batch: &RawBatch, peer: &Peer) -> Result<Vec<Columns>, AnswerError> {
        self.lock().answer(batch, peer)
    }

    fn tick(&mut self) -> Result<i64, AnswerError> {
        Ok(self.lock().host().newest_mail()?)
    }

    fn next_mail(&mut self, of: &Sender, after: i64) -> Result<Option<(i64, Vec<Columns>)>, AnswerError> {
        let mut stage = self.lock();
        let now = stage.now().clone();
        Ok(stage.host().next_mail(of, after, &now)?.map(|mail| (mail.id, mail.records)))
    }

    fn note_arrivals(&mut self, peer: &Peer) -> Result<(), AnswerError> {
        match peer.receipts() {
            Some(receipts) => Ok(self.lock().host().note_arrivals(receipts)?),
            None => Ok(()),
        }
    }

    fn mark_delivered(&mut self, of: &Sender, up_to: i64) -> Result<(), AnswerError> {
        let mut stage = self.lock();
        let now = stage.now().clone();
        Ok(stage.host().mark_delivered(of, up_to, &now)?)
    }
}

/// A stage on which batches go over a connection each.
struct Theatre<'a> {
    address: String,
    folder: PathBuf,
    outliner: Outliner,
    runtime: &'a Runtime,
    stage: SharedStage,
    world: World,
}

impl Stage for Theatre<'_> {
    fn set_clock(&mut self, to: DateTime) -> Result<(), StageError> {
        self.stage.lock().set_clock(to)
    }

    fn send(&mut self, rows: &[Columns]) -> Result<Vec<Columns>, StageError> {
        let outline = self.outliner.outline(rows);
        let waits = !self.stage.lock().host().mail(&outline.mailbox)?.is_empty();
        let known = self.world.senders().iter().find(|known| {
            (known.site(), known.id()) == (outline.mailbox.site.as_str(), outline.mailbox.id.as_str())
        });
        let sender = known.and_then(|known| known.certificate()).unwrap_or(development::SENDER);
        let tls = client_tls(&development::credentials(&self.folder, sender))?;
        let bytes = rows.iter().flat_map(|row| row.iter().copied().chain([b'\n'])).collect::<Vec<_>>();
        let wait = if waits { MAIL_WAIT } else { Duration::ZERO };
        let mut answer = Vec::new();
        self.runtime.block_on(async {
            let client = Client::connect(&self.address, tls).await?;
            client.converse(&bytes, wait, |columns| answer.push(*columns)).await
        })?;
        Ok(answer)
    }

    fn act(&mut self, action: &Action) -> Result<Option<String>, StageError> {
        self.stage.lock().act(action)
    }

    fn collect(&mut self, recipient: &Sender) -> Result<Vec<Columns>, StageError> {
        self.stage.lock().collect(recipient)
    }

    fn facts(&mut self, entry: &EntryKey) -> Result<BTreeMap<&'static str, String>, StageError> {
        self.stage.lock().facts(entry)
    }
}

/// What the audience sees.
struct Program {
    annotator: Annotator,
    output: Output,
    /// Why it sees no more.
    failed: Option<io::Error>,
}

impl Program {
    fn show(&mut self, step: &Step, rows: &[Columns], words: &str) {
        if self.failed.is_none() {
            self.failed = self.try_show(step, rows, words).err();
        }
    }

    fn try_show(&mut self, step: &Step, rows: &[Columns], words: &str) -> io::Result<()> {
        let Self { annotator, output, .. } = self;
        if !step.note.is_empty() {
            writeln!(output, "# {}", step.note)?;
        }
        match &step.kind {
            StepKind::Clock(to) => writeln!(output, "It is {to} in New York.\n"),
            StepKind::Send(sent, _) => writeln!(output, "{}{}", annotator.sent(sent), annotator.answer(rows)),
            StepKind::Mail(to, _) => {
                let (site, id, office) = (&to.site, &to.id, &to.office);
                let count = if rows.is_empty() { "nothing" } else { "this" };
                let name = format!("{site} {id} {office}");
                writeln!(output, "For {} there is {count}.\n{}", name.trim_end(), annotator.answer(rows))
            }
            StepKind::Act(action, _) => {
                let action = serde_json::to_string(action).map_err(io::Error::other)?;
                writeln!(output, "CBP: {action}")?;
                writeln!(output, "{}\n", if words.is_empty() { "  done" } else { words })
            }
            StepKind::Holds(entry, _) => writeln!(output, "On file, {entry}: {words}\n"),
        }
    }
}
