//! The folder of `serve --dev`: certificates, settings, a world and a store to begin with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::answer::STORE;
use super::output;
use crate::gateway::{Config, Credentials, DevelopmentCertificates};
use crate::host::World;
use crate::store::SqliteStore;

/// The folder, below the one where the command runs.
pub(super) const FOLDER: &str = "abigate-dev";

/// The settings in it.
pub(super) const SETTINGS_FILE: &str = "abigate.toml";

/// The private key of the authority, beside its certificate. Whoever has it can make certificates of senders.
pub(super) const AUTHORITY_KEY: &str = "ca-key.pem";

/// The sender of the demo world whose certificate is used unless another is named.
pub(super) const SENDER: &str = "demo-broker";

const SETTINGS: &str = r#"# The settings of `abigate serve --dev`. Paths are relative to this file.
listen = "127.0.0.1:7443"
certificate = "server.pem"
key = "server-key.pem"
client_certificates = "required"
client_authority = "ca.pem"
store = "abigate.db"
world = "world.toml"

[log]
filter = "info"
"#;

/// Makes what the folder does not have yet and reads its settings.
pub(super) fn prepare(folder: &Path, world: &World) -> anyhow::Result<Config> {
    if !folder.exists() {
        create_private(folder).with_context(|| folder.display().to_string())?;
    }
    // the authority is written last: without it, what an interrupted start left is made anew
    if !folder.join("ca.pem").exists() {
        certify(folder, world)?;
    }
    let settings = folder.join(SETTINGS_FILE);
    // A folder without settings has no store yet. One whose store has gone is not given a new one in silence.
    if !settings.exists() {
        let store = folder.join(STORE);
        SqliteStore::open_or_create(&store).with_context(|| store.display().to_string())?;
    }
    for (file, text) in [(folder.join("world.toml"), World::DEMO), (settings.clone(), SETTINGS)] {
        if !file.exists() {
            write(&file, text.as_bytes(), false)?;
        }
    }
    Ok(Config::from_file(&settings)?)
}

/// What a sender of the folder's world needs to connect.
pub(super) fn credentials(folder: &Path, sender: &str) -> Credentials {
    Credentials { authority: folder.join("ca.pem"), identity: Some(identity(folder, sender)) }
}

/// The files of a sender's certificate and private key.
pub(super) fn identity(folder: &Path, sender: &str) -> (PathBuf, PathBuf) {
    (folder.join(format!("{sender}.pem")), folder.join(format!("{sender}-key.pem")))
}

fn certify(folder: &Path, world: &World) -> anyhow::Result<()> {
    let senders: Vec<&str> = world.senders().iter().filter_map(|sender| sender.certificate()).collect();
    let made = DevelopmentCertificates::issue(&senders)?;
    for client in &made.clients {
        let (certificate, key) = identity(folder, &client.name);
        write(&certificate, client.certificate.as_bytes(), false)?;
        write(&key, client.key.as_bytes(), true)?;
    }
    write(&folder.join("server.pem"), made.server.certificate.as_bytes(), false)?;
    write(&folder.join("server-key.pem"), made.server.key.as_bytes(), true)?;
    write(&folder.join(AUTHORITY_KEY), made.authority_key.as_bytes(), true)?;
    write(&folder.join("ca.pem"), made.authority.as_bytes(), false)
}

/// Makes a folder for its owner only: what batches hold is nobody else's business.
pub(super) fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that, if it is secret, only its owner can read.
pub(super) fn write(path: &Path, bytes: &[u8], secret: bool) -> anyhow::Result<()> {
    match secret {
        true => output::write_secret(path, bytes),
        false => output::write_file(path, bytes),
    }
}
