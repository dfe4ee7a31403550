//! Certificates and keys on the module: sent once, verified, and found again by their names.

use at_port::Lane;
use bytes::Bytes;

use super::commands::{QfDel, QfLst, QfUpl, checksum};
use crate::dialect::{Connecting, ask, if_possible, pem};
use crate::error::{Error, ModuleError, Outcome, Result};
use crate::options::Step;

/// Where files stay when the module restarts.
const STORAGE: &str = "UFS:";

/// A certificate or key that is to be on the module.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    name: String,
    contents: Bytes,
    secret: bool,
}

impl Certificate {
    /// A certificate to be trusted.
    pub(super) fn ca(pem: &Bytes) -> Self {
        Self { name: format!("ca-{:016x}.pem", pem::name_hash(pem)), contents: pem.clone(), secret: false }
    }

    /// The certificate of the client.
    pub(super) fn client(pem: &Bytes) -> Self {
        Self { name: format!("cert-{:016x}.pem", pem::name_hash(pem)), contents: pem.clone(), secret: false }
    }

    /// The private key of the client. Names are in every transcript, so this one tells nothing of the key but the
    /// checksum that the module's answer shows anyway; what sets it apart is the certificate it belongs to.
    pub(super) fn key(pem: &str, certificate: &Bytes) -> Self {
        let name = format!("key-{:016x}-{:04x}.pem", pem::name_hash(certificate), checksum(pem.as_bytes()));
        Self { name, contents: Bytes::copy_from_slice(pem.as_bytes()), secret: true }
    }

    /// Its full name on the module.
    pub(super) fn path(&self) -> String {
        format!("{STORAGE}{}", self.name)
    }

    /// Whether the module's name for a file means this one; some firmware leaves the storage out.
    pub(super) fn is_named(&self, name: &str) -> bool {
        name.strip_prefix(STORAGE).unwrap_or(name) == self.name
    }

    /// Makes sure that the module has it.
    pub(super) async fn store(&self, context: &Connecting<'_>) -> Result<()> {
        let Connecting { port, index, .. } = *context;
        let lane = Lane::client(index);
        match self.listing(context).await? {
            Listing::Size(size) if size == self.contents.len() => return Ok(()),
            Listing::Absent | Listing::Untold => {}
            // The rest of an upload that broke off.
            Listing::Size(_) => if_possible(ask(port, lane, QfDel::new(self.path())).await).map(drop)?,
        }
        if let Some(progress) = context.progress {
            progress(&Step::Upload { file: self.path(), bytes: self.contents.len() });
        }
        let told = match self.upload(context).await {
            // What is there may be in the way without having been listed.
            Err(Error::Module(refusal)) => {
                match if_possible(ask(port, lane, QfDel::new(self.path())).await)? {
                    Some(()) => self.upload(context).await?,
                    None => return Err(Error::Module(refusal)),
                }
            }
            outcome => outcome?,
        };
        let is_stored = told != Some(false)
            && match self.listing(context).await? {
                Listing::Size(size) => size == self.contents.len(),
                Listing::Absent => false,
                // The manual has no command that lists files, but a checksum.
                Listing::Untold => told == Some(true),
            };
        if is_stored {
            return Ok(());
        }
        if_possible(ask(port, lane, QfDel::new(self.path())).await)?;
        Err(ModuleError {
            command: "AT+QFUPL".to_owned(),
            code: None,
            meaning: format!("{} was not stored as it was sent", self.path()).into(),
            remedy: Some("try again; use hardware flow control, or a lower baud rate"),
            outcome: Outcome::NotSent,
        }
        .into())
    }

    /// Sends it; gives whether size and checksum that the module tells are right, or nothing if it tells none.
    async fn upload(&self, context: &Connecting<'_>) -> Result<Option<bool>> {
        let upload = QfUpl::new(self.path(), self.contents.clone());
        let upload = if self.secret { upload.secret() } else { upload };
        match ask(context.port, Lane::client(context.index), upload).await {
            Ok(stored) => Ok(Some(stored.is_copy_of(&self.contents))),
            // The line with the checksum can be missing although the file is there.
            Err(Error::Unreadable { .. } | Error::Timeout { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn listing(&self, context: &Connecting<'_>) -> Result<Listing> {
        let query = QfLst::new(self.path());
        let files = if_possible(ask(context.port, Lane::client(context.index), query).await)?;
        let Some(files) = files else { return Ok(Listing::Untold) };
        let file = files.into_iter().find(|file| self.is_named(&file.name));
        Ok(file.map_or(Listing::Absent, |file| Listing::Size(file.size)))
    }
}

/// What the module says about a file.
enum Listing {
    Size(usize),
    Absent,
    /// It does not list files, or refuses to list what is not there.
    Untold,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_contents_apart_and_nothing_about_keys() {
        let certificate = Bytes::from_static(b"foobar");
        assert_eq!(Certificate::ca(&certificate).path(), "UFS:ca-85944171f73967e8.pem");
        let key = Certificate::key("secret", &certificate);
        assert_eq!(key.path(), format!("UFS:key-85944171f73967e8-{:04x}.pem", checksum(b"secret")));
        assert!(key.is_named(&key.path()) && key.is_named(&key.path()[4..]) && !key.is_named("UFS:key"));
    }
}
