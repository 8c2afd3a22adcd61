//! `abigate admin sender`

mod secret;
mod world_file;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use self::secret::Secret;
use self::world_file::{NewFiler, NewSender, WorldText};
use super::super::output::Outputs;
use super::super::{Ending, development};
use super::place::{Format, FormatArgument};
use crate::gateway::{Authority, ClientCertificates, Config, Issued, hash_password, pkcs12};
use crate::grammar::{Direction, Grammar};
use crate::host::{FilerKind, World};

/// The length of a passphrase that is made up, in letters and digits of five bits each.
const PASSPHRASE_LENGTH: usize = 20;

/// Senders: who may transmit to a gateway
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Add(Box<Add>),
}

/// Add a sender: its certificate, key and password, and its rows in the world file
///
/// Without --config the gateway of `serve --dev` is meant, in ./abigate-dev, which is made if it is not
/// there. A gateway reads its world when it starts. The keys of the rows stand in docs/gateway.md.
#[derive(Debug, Args)]
struct Add {
    /// The site code of its A-records: by convention the code of the port nearest to it
    #[arg(long, value_name = "CODE")]
    site: String,
    /// The identification code of its A-records
    #[arg(long, value_name = "CODE")]
    id: String,
    /// An office it has, each a mailbox of its own; may be repeated
    #[arg(long = "office", value_name = "CODE")]
    offices: Vec<String>,
    /// The code of a filer it transmits for; may be repeated. A filer that the world does not have is added
    #[arg(long = "filer", value_name = "CODE", required = true)]
    filers: Vec<String>,
    /// The name of a filer that is added
    #[arg(long, value_name = "TEXT")]
    filer_name: Option<String>,
    /// What a filer that is added is
    #[arg(long, value_enum, default_value_t)]
    filer_kind: KindName,
    /// A port where a filer that is added files; may be repeated. All ports of the world if none is named
    #[arg(long = "port", value_name = "CODE")]
    ports: Vec<String>,
    /// An application that a filer that is added files; may be repeated. All input applications that the
    /// grammars describe if none is named
    #[arg(long = "application", value_name = "ID")]
    applications: Vec<String>,
    /// The settings of the gateway; they name the world file and the authority of its clients
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The private key of the authority that signs the certificate, PEM; `ca-key.pem` beside the authority's
    /// certificate if it is not named
    #[arg(long, value_name = "FILE", conflicts_with = "certificate")]
    certificate_authority: Option<PathBuf>,
    /// The common name of a certificate that the sender has already: none is made
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "passphrase_file", "output"])]
    certificate: Option<String>,
    /// The common name of the certificate that is made; site and identification if it is not given
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The folder for the certificate and its key; that of the settings if it is not named
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The file with the password of its A-records, or `-` for standard input; it is made up otherwise
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The file with the passphrase of the .p12 file, or `-` for standard input; it is made up otherwise
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArgument,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum KindName {
    /// A licensed customs broker with a national permit
    #[default]
    Broker,
    /// An importer that files for itself
    Importer,
}

impl From<KindName> for FilerKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Broker => Self::Broker,
            KindName::Importer => Self::Importer,
        }
    }
}

pub(super) fn run(arguments: &Arguments, outputs: &Outputs) -> anyhow::Result<Ending> {
    let Command::Add(add) = &arguments.command;
    let added = self::add(add)?;
    let mut out = outputs.standard();
    match add.format.format {
        Format::Json => writeln!(out, "{:#}", added.value())?,
        Format::Text => write!(out, "{}", added.text())?,
    }
    Ok(Ending::Clean)
}

/// What was made, for the one time that it is told.
struct Added {
    site: String,
    id: String,
    world: PathBuf,
    password: Secret,
    certificate: Option<String>,
    files: Option<Files>,
    /// The filers that were added, and those that the world had.
    added: Vec<String>,
    known: Vec<String>,
    is_development: bool,
}

/// The files of a certificate.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    pkcs12: PathBuf,
    passphrase: Secret,
}

fn add(add: &Add) -> anyhow::Result<Added> {
    let grammar = Grammar::builtin();
    let (config, folder) = settings(add.config.as_deref(), grammar)?;
    let world = config.world.clone().context("the settings name no world")?;
    let mut text = WorldText::open(&world)?;
    let site = world_file::code(grammar, "sender_receiver_site_code", "site", &add.site)?;
    let id = world_file::code(grammar, "sender_receiver_id_code", "id", &add.id)?;
    let office = |code: &String| world_file::code(grammar, "sender_receiver_office_code", "office", code);
    let offices = add.offices.iter().map(office).collect::<anyhow::Result<Vec<_>>>()?;
    let mut filers = Vec::new();
    for code in &add.filers {
        let code = world_file::code(grammar, "processing_filer_code", "filer", code)?;
        if !filers.contains(&code) {
            filers.push(code);
        }
    }
    let (known, added): (Vec<_>, Vec<_>) = filers.iter().cloned().partition(|code| text.has_filer(code));
    text.refuse_sender(&site, &id)?;

    let wanted = add.certificate.is_some() || config.client_certificates != ClientCertificates::None;
    let name = wanted.then(|| add.certificate.clone().or(add.name.clone()).unwrap_or(format!("{site}-{id}")));
    let authority = match &name {
        Some(_) if add.certificate.is_none() => Some(authority(add, &config)?),
        _ => None,
    };
    let is_made = authority.is_some();
    if let (Some(name), true) = (&name, is_made) {
        check_name(name)?;
        text.refuse_certificate(name)?;
    }
    let password = secret::password(grammar, add.password_file.as_deref())?;
    let ports = if add.ports.is_empty() { text.ports() } else { add.ports.clone() };
    let applications = applications(add, grammar);
    let hash = hash_password(password.text.as_bytes())?;
    text.add_sender(&NewSender {
        site: &site,
        id: &id,
        offices: &offices,
        password_hash: &hash,
        certificate: name.as_deref(),
        filers: &filers,
    })?;
    for code in &added {
        text.add_filer(&NewFiler {
            code,
            name: add.filer_name.as_deref().unwrap_or(code),
            kind: add.filer_kind.into(),
            ports: &ports,
            applications: &applications,
            offices: &offices,
        })?;
    }
    text.check(grammar)?;
    let files = match (authority, &name) {
        (Some(authority), Some(name)) => {
            Some(issue(add, &authority, name, add.output.as_deref().unwrap_or(&folder))?)
        }
        _ => None,
    };
    if let Err(error) = text.write() {
        files.iter().for_each(Files::remove);
        return Err(error);
    }
    let is_development = add.config.is_none();
    Ok(Added { site, id, world, password, certificate: name, files, added, known, is_development })
}

/// The settings, and the folder they lie in.
fn settings(config: Option<&Path>, grammar: &Grammar) -> anyhow::Result<(Config, PathBuf)> {
    let folder = match config {
        Some(file) => file.parent().unwrap_or(Path::new("")).to_owned(),
        None => PathBuf::from(development::FOLDER),
    };
    let config = match config {
        Some(file) => Config::from_file(file)?,
        None => development::prepare(&folder, &World::demo(grammar)?)?,
    };
    Ok((config, folder))
}

/// The authority that signs: that of the settings, with the key that is named or lies beside it.
fn authority(add: &Add, config: &Config) -> anyhow::Result<Authority> {
    let certificates = config.client_authority.as_deref().context("the settings name no client_authority")?;
    let beside = certificates.with_file_name(development::AUTHORITY_KEY);
    let key = add.certificate_authority.clone().unwrap_or(beside);
    if !key.exists() {
        bail!(
            "{} is not there: --certificate-authority names the key that signs, and --certificate the \
             common name of a certificate that the sender has already",
            key.display()
        );
    }
    Ok(Authority::open(certificates, &key)?)
}

/// A certificate's name is also that of its files.
fn check_name(name: &str) -> anyhow::Result<()> {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_. ".contains(sign);
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(is_plain) {
        bail!(
            "--name {name:?}: write up to 64 letters, digits, spaces, hyphens, underscores and full stops, \
             not beginning with a full stop"
        );
    }
    Ok(())
}

fn applications(add: &Add, grammar: &Grammar) -> Vec<String> {
    if !add.applications.is_empty() {
        return add.applications.iter().map(|code| code.to_ascii_uppercase()).collect();
    }
    let known = grammar.applications().iter().filter(|known| {
        known.direction == Direction::Input && grammar.structure(&known.code, Direction::Input).is_some()
    });
    known.map(|known| known.code.clone()).collect()
}

/// Makes the certificate and its files. None of them is left if one cannot be written.
fn issue(add: &Add, authority: &Authority, name: &str, folder: &Path) -> anyhow::Result<Files> {
    let passphrase = secret::word(add.passphrase_file.as_deref(), PASSPHRASE_LENGTH)?;
    let issued = authority.issue_client(name)?;
    let (certificate, key) = development::identity(folder, name);
    let files = Files { certificate, key, pkcs12: folder.join(format!("{name}.p12")), passphrase };
    if let Some(there) = files.paths().into_iter().find(|path| path.exists()) {
        bail!("{} is there already: choose another --name or --output", there.display());
    }
    if !folder.exists() {
        development::create_private(folder).with_context(|| folder.display().to_string())?;
    }
    let written = files.write(&issued, authority);
    if written.is_err() {
        files.remove();
    }
    written.map(|()| files)
}

impl Files {
    fn paths(&self) -> [&Path; 3] {
        [&self.certificate, &self.key, &self.pkcs12]
    }

    fn write(&self, issued: &Issued, authority: &Authority) -> anyhow::Result<()> {
        let bag = pkcs12(issued, authority.certificate(), &self.passphrase.text)?;
        development::write(&self.certificate, issued.certificate.as_bytes(), false)?;
        development::write(&self.key, issued.key.as_bytes(), true)?;
        development::write(&self.pkcs12, &bag, true)
    }

    fn remove(&self) {
        for path in self.paths() {
            // why they could not be used is told; that one of them is not there does not matter
            let _ = fs::remove_file(path);
        }
    }
}

impl Added {
    fn text(&self) -> String {
        let Self { site, id, world, .. } = self;
        let mut text = format!("sender {site} {id} is in {}\n", world.display());
        let mut line = |name: &str, said: String| text.push_str(&format!("  {name:12} {said}\n"));
        line("password", self.password.shown());
        match (&self.files, &self.certificate) {
            (Some(files), _) => {
                line("certificate", files.certificate.display().to_string());
                line("key", files.key.display().to_string());
                let bag = format!("{}, passphrase {}", files.pkcs12.display(), files.passphrase.shown());
                line("both", bag);
            }
            (None, Some(name)) => line("certificate", format!("your own, with the common name {name}")),
            (None, None) => line("certificate", "none: the settings ask for none".to_owned()),
        }
        for (codes, said) in [(&self.added, "is new"), (&self.known, "was there")] {
            codes.iter().for_each(|code| line("filer", format!("{code} {said}")));
        }
        text.push_str("A gateway that runs reads its world when it is started again.\n");
        if let (true, Some(name)) = (self.is_development, &self.certificate) {
            text.push_str(&format!("send a batch:       abigate send FILE --as {name}\n"));
            text.push_str(&format!("take notifications: abigate listen --as {name}\n"));
        }
        text
    }

    fn value(&self) -> Value {
        let files = self.files.as_ref();
        json!({
            "site": self.site,
            "id": self.id,
            "world": self.world,
            "password": self.password.made(),
            "certificate_name": self.certificate,
            "certificate": files.map(|files| &files.certificate),
            "key": files.map(|files| &files.key),
            "pkcs12": files.map(|files| &files.pkcs12),
            "passphrase": files.and_then(|files| files.passphrase.made()),
            "filers_added": self.added,
            "filers_known": self.known,
        })
    }
}
