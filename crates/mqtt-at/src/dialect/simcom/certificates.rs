//! Certificates and keys on the module: sent once, verified, and found again by their names.

use at_port::Lane;
use bytes::Bytes;

use super::commands::{CcertDele, CcertDown, CcertList};
use crate::command::Command;
use crate::dialect::{Connecting, ask, if_possible, pem};
use crate::error::{InputError, ModuleError, Outcome, Result};
use crate::options::Step;

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

    /// The private key of the client. Names are in every transcript, so this one tells next to nothing of the key:
    /// what sets it apart is the certificate it belongs to, and 16 bits that tell a corrected key from a wrong one.
    pub(super) fn key(pem: &str, certificate: &Bytes) -> Self {
        let own = pem::name_hash(pem.as_bytes());
        let folded = (0..4).fold(0, |sum, word| sum ^ ((own >> (16 * word)) & 0xFFFF));
        let name = format!("key-{:016x}-{folded:04x}.pem", pem::name_hash(certificate));
        Self { name, contents: Bytes::copy_from_slice(pem.as_bytes()), secret: true }
    }

    /// Its name on the module.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the module's name for a file means this one; some firmware puts a path in front.
    pub(super) fn is_named(&self, name: &str) -> bool {
        name.rsplit(['/', '\\', ':']).next() == Some(&self.name)
    }

    /// Whether the module can take it.
    pub(super) fn check(&self) -> Result<(), InputError> {
        self.upload().operation().map(drop)
    }

    fn upload(&self) -> CcertDown {
        let upload = CcertDown::new(&self.name, self.contents.clone());
        if self.secret { upload.secret() } else { upload }
    }

    /// Makes sure that the module has it. The name stands for the contents: the module tells no size.
    pub(super) async fn store(&self, context: &Connecting<'_>) -> Result<()> {
        let Connecting { port, index, progress, .. } = *context;
        let lane = Lane::client(index);
        if self.is_listed(context).await? == Some(true) {
            return Ok(());
        }
        if let Some(progress) = progress {
            progress(&Step::Upload { file: self.name.clone(), bytes: self.contents.len() });
        }
        if let Err(error) = ask(port, lane, self.upload()).await {
            // What was stored of it would be taken for all of it the next time.
            if_possible(ask(port, lane, CcertDele::new(&self.name)).await)?;
            return Err(error);
        }
        // Where the module lists nothing, its `OK` is all there is.
        if self.is_listed(context).await? != Some(false) {
            return Ok(());
        }
        Err(ModuleError {
            command: "AT+CCERTDOWN".to_owned(),
            code: None,
            meaning: format!("{} was not stored", self.name).into(),
            remedy: Some("delete certificates that are not needed any more, or update the firmware"),
            outcome: Outcome::NotSent,
        }
        .into())
    }

    /// `None` if the module refuses to list files, as some do that have none.
    async fn is_listed(&self, context: &Connecting<'_>) -> Result<Option<bool>> {
        let names = if_possible(ask(context.port, Lane::client(context.index), CcertList).await)?;
        Ok(names.map(|names| names.iter().any(|name| self.is_named(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_contents_apart_and_next_to_nothing_about_keys() {
        let certificate = Bytes::from_static(b"foobar");
        assert_eq!(Certificate::ca(&certificate).name(), "ca-85944171f73967e8.pem");
        assert_eq!(Certificate::client(&certificate).name(), "cert-85944171f73967e8.pem");
        let key = Certificate::key("secret", &certificate);
        assert!(key.name().starts_with("key-85944171f73967e8-"));
        assert_eq!(key.name().len(), "key-85944171f73967e8-0000.pem".len());
        assert_ne!(key.name(), Certificate::key("secreu", &certificate).name());
        assert!(key.is_named(key.name()) && key.is_named(&format!("/customer/{}", key.name())));
        assert!(!key.is_named("key") && !key.is_named(""));
    }
}
