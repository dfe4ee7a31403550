//! Encrypted connections: whom the module trusts, and what it says when it does not.

use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::support::{Broker, Module, fail, succeed};

/// The vendors whose manual has TLS.
const VENDORS: &[&str] = &["quectel", "simcom"];

/// A certificate authority, a server certificate for `localhost`, and a client certificate, as PEM files.
struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    fn issue() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "authority of the test");
        let authority_certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        std::fs::write(folder.path().join("ca.pem"), authority_certificate.pem()).unwrap();
        for name in ["localhost", "client"] {
            let key = KeyPair::generate().unwrap();
            let certificate =
                CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(folder.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A broker that shows the server certificate, and asks for the client's if told so.
    fn broker(&self, extra: &str) -> Broker {
        let folder = self.folder.path().display();
        Broker::with(
            &format!(
                "allow_anonymous true\ncafile {folder}/ca.pem\ncertfile {folder}/localhost.pem\nkeyfile {folder}/localhost.key\n{extra}"
            ),
            |_: &Path| {},
        )
    }
}

fn publish(module: &Module, broker: &Broker, papers: &[(&str, PathBuf)]) -> Command {
    let mut command = module.mqttat();
    command.args([
        "pub",
        "-h",
        "localhost",
        "-p",
        &broker.port.to_string(),
        "-t",
        "a/b",
        "-m",
        "x",
        "-q",
        "1",
    ]);
    for (option, path) in papers {
        command.arg(option).arg(path);
    }
    command
}

#[test]
fn a_server_is_trusted_only_if_its_chain_ends_in_the_ca() {
    let (right, wrong) = (Papers::issue(), Papers::issue());
    for vendor in VENDORS {
        let broker = right.broker("");
        let module = Module::start(vendor, broker.port);
        succeed(&mut publish(&module, &broker, &[("--cafile", right.path("ca.pem"))]));
        let complaint = fail(1, &mut publish(&module, &broker, &[("--cafile", wrong.path("ca.pem"))]));
        assert!(complaint.to_lowercase().contains("certificate"), "{vendor}: {complaint}");
    }
}

#[test]
fn a_client_certificate_opens_a_broker_that_asks_for_one() {
    let papers = Papers::issue();
    for vendor in VENDORS {
        let broker = papers.broker("require_certificate true\n");
        let module = Module::start(vendor, broker.port);
        let ca = ("--cafile", papers.path("ca.pem"));
        fail(1, &mut publish(&module, &broker, std::slice::from_ref(&ca)));
        let client = [ca, ("--cert", papers.path("client.pem")), ("--key", papers.path("client.key"))];
        succeed(&mut publish(&module, &broker, &client));
    }
}
