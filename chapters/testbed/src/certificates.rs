//! Certificates made on the spot, good ones and each kind of bad one, in the forms that Kafka and
//! librdkafka read.
//!
//! ```
//! use testbed::certificates::{Authority, Request};
//!
//! # fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let shop = Authority::new("shop")?;
//! let broker = shop.issue(&Request::broker())?.write(folder.path(), "broker")?;
//! let checkout = shop.issue(&Request::client("checkout"))?.write(folder.path(), "checkout")?;
//!
//! assert_eq!(broker.broker_properties()["ssl.keystore.type"], "PEM");
//! assert_eq!(checkout.client_properties()["security.protocol"], "ssl");
//! # Ok(()) }
//! # example().unwrap();
//! ```
//!
//! The bad ones: [`Request::expired`], [`Request::not_yet_valid`], [`Request::hosts`] with another
//! host's name, and a certificate of another [`Authority`].
//!
//! These are for tests: the authority's key lies in memory beside everything it signs, and nothing
//! can be revoked.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

/// How long a certificate is valid. It began the same time ago, for machines whose clocks differ.
const DAY: Duration = Duration::days(1);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A host's name is not one, or the system has no random numbers.
    #[error("the certificate of {name} cannot be made")]
    Make {
        /// Whose it was to be.
        name: String,
        /// rcgen's reason.
        #[source]
        cause: rcgen::Error,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: is there room, and may you write there?", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        cause: io::Error,
    },
}

/// A certificate authority: what it has signed is trusted by who trusts its certificate.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// A new authority with a key of its own, valid for a day.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`].
    pub fn new(name: &str) -> Result<Authority, CertificateError> {
        let failed =
            |cause| CertificateError::Make { name: name.to_owned(), cause };
        let mut params =
            parameters(name, &[], Validity::Now).map_err(failed)?;
        // 0: it signs certificates of brokers and clients, and no other authority's.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages =
            vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(failed)?;
        let issuer =
            CertifiedIssuer::self_signed(params, key).map_err(failed)?;
        Ok(Authority { issuer })
    }

    /// Its certificate, as PEM: what others are told to trust.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Makes a key and signs a certificate for it.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Make`].
    pub fn issue(
        &self,
        request: &Request,
    ) -> Result<Identity, CertificateError> {
        let failed = |cause| CertificateError::Make {
            name: request.name.clone(),
            cause,
        };
        let mut params =
            parameters(&request.name, &request.hosts, request.validity)
                .map_err(failed)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Brokers are clients too: of each other.
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate =
            params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Identity {
            key,
            certificate: certificate.pem(),
            authority: self.pem(),
        })
    }

    /// Writes its certificate to `folder/name.pem`, and gives the librdkafka properties of a client
    /// that trusts it and shows no certificate of its own.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Write`].
    pub fn client_properties(
        &self,
        folder: &Path,
        name: &str,
    ) -> Result<BTreeMap<String, String>, CertificateError> {
        let path = folder.join(format!("{name}.pem"));
        write(&path, &self.pem(), PUBLIC)?;
        Ok(trusting(&path))
    }
}

/// What a certificate is to say.
#[derive(Debug, Clone)]
pub struct Request {
    name: String,
    hosts: Vec<String>,
    validity: Validity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Validity {
    Now,
    Past,
    Future,
}

impl Request {
    /// Of a broker on this machine: for `localhost` and 127.0.0.1.
    pub fn broker() -> Request {
        Request::client("broker").hosts(["localhost", "127.0.0.1"])
    }

    /// Of a client; Kafka knows it as the principal `User:CN=<name>`.
    pub fn client(name: &str) -> Request {
        Request {
            name: name.to_owned(),
            hosts: Vec::new(),
            validity: Validity::Now,
        }
    }

    /// For these hosts and no others: DNS names and IP addresses. A name that is not the broker's
    /// makes the certificate that a client must refuse.
    #[must_use]
    pub fn hosts(
        mut self,
        hosts: impl IntoIterator<Item = impl Into<String>>,
    ) -> Request {
        self.hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Valid until yesterday.
    #[must_use]
    pub fn expired(mut self) -> Request {
        self.validity = Validity::Past;
        self
    }

    /// Valid from tomorrow.
    #[must_use]
    pub fn not_yet_valid(mut self) -> Request {
        self.validity = Validity::Future;
        self
    }
}

/// A private key with its certificate.
pub struct Identity {
    key: KeyPair,
    certificate: String,
    authority: String,
}

impl Identity {
    /// The certificate, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    /// Writes `name.key.pem`, `name.certificate.pem`, `name.authority.pem`, and `name.keystore.pem`,
    /// which holds all three, into the folder. Those with the private key can be read by their
    /// owner alone.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Write`].
    pub fn write(
        &self,
        folder: &Path,
        name: &str,
    ) -> Result<Files, CertificateError> {
        let path = |part: &str| folder.join(format!("{name}.{part}.pem"));
        let files = Files {
            key: path("key"),
            certificate: path("certificate"),
            authority: path("authority"),
            keystore: path("keystore"),
        };
        let key = self.key.serialize_pem();
        write(&files.key, &key, PRIVATE)?;
        write(&files.certificate, &self.certificate, PUBLIC)?;
        write(&files.authority, &self.authority, PUBLIC)?;
        // Kafka wants the key in PKCS#8 and the chain from the certificate upwards, in one file.
        write(
            &files.keystore,
            &[key.as_str(), &self.certificate, &self.authority].concat(),
            PRIVATE,
        )?;
        Ok(files)
    }
}

/// Shows no key.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

/// The files of one identity.
#[derive(Debug, Clone)]
pub struct Files {
    /// The private key (PKCS#8).
    pub key: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// The certificate of the authority that signed it.
    pub authority: PathBuf,
    /// Key, certificate and authority in one, as a broker wants them.
    pub keystore: PathBuf,
}

impl Files {
    /// The properties of a broker that shows this certificate and trusts its authority's clients.
    ///
    /// Whether clients must show one is another: `ssl.client.auth=required`.
    pub fn broker_properties(&self) -> BTreeMap<String, String> {
        let path = |path: &Path| path.display().to_string();
        map([
            ("ssl.keystore.type", "PEM".to_owned()),
            ("ssl.keystore.location", path(&self.keystore)),
            ("ssl.truststore.type", "PEM".to_owned()),
            ("ssl.truststore.location", path(&self.authority)),
        ])
    }

    /// The librdkafka properties of a client that shows this certificate and trusts its authority's
    /// brokers.
    pub fn client_properties(&self) -> BTreeMap<String, String> {
        let mut properties = trusting(&self.authority);
        properties.extend(map([
            (
                "ssl.certificate.location",
                self.certificate.display().to_string(),
            ),
            ("ssl.key.location", self.key.display().to_string()),
        ]));
        properties
    }
}

/// Readable by all.
const PUBLIC: u32 = 0o644;

/// Readable by the owner alone.
const PRIVATE: u32 = 0o600;

fn trusting(authority: &Path) -> BTreeMap<String, String> {
    map([
        ("security.protocol", "ssl".to_owned()),
        ("ssl.ca.location", authority.display().to_string()),
    ])
}

fn map<const N: usize>(
    pairs: [(&str, String); N],
) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn parameters(
    name: &str,
    hosts: &[String],
    validity: Validity,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = match validity {
        Validity::Now => (now - DAY, now + DAY),
        Validity::Past => (now - 2 * DAY, now - DAY),
        Validity::Future => (now + DAY, now + 2 * DAY),
    };
    Ok(params)
}

/// Writes a file that from its first byte on has this mode. One that is there already is replaced.
fn write(
    path: &Path,
    text: &str,
    mode: u32,
) -> Result<(), CertificateError> {
    let write = || {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error);
            }
            _ => {}
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?
            .write_all(text.as_bytes())
    };
    write().map_err(|cause| CertificateError::Write {
        path: path.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn private_keys_are_readable_by_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Authority::new("shop")
            .unwrap()
            .issue(&Request::broker())
            .unwrap();
        // Twice: what is there is replaced, with the mode it must have.
        let before = identity.write(folder.path(), "broker").unwrap();
        std::fs::set_permissions(
            &before.key,
            std::fs::Permissions::from_mode(0o666),
        )
        .unwrap();
        let files = identity.write(folder.path(), "broker").unwrap();
        let mode = |path: &Path| {
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(
            (mode(&files.key), mode(&files.keystore)),
            (0o600, 0o600)
        );
        assert_eq!(mode(&files.authority) & 0o044, 0o044);
    }

    #[test]
    fn a_keystore_holds_key_certificate_and_authority_in_this_order() {
        let folder = tempfile::tempdir().unwrap();
        let files = Authority::new("shop")
            .and_then(|shop| shop.issue(&Request::broker()))
            .and_then(|identity| identity.write(folder.path(), "broker"))
            .unwrap();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let keystore = read(&files.keystore);
        assert!(
            keystore.starts_with("-----BEGIN PRIVATE KEY-----"),
            "PKCS#8"
        );
        assert_eq!(
            keystore,
            read(&files.key)
                + &read(&files.certificate)
                + &read(&files.authority)
        );
    }

    #[test]
    fn the_key_is_not_shown() {
        let identity = Authority::new("shop")
            .unwrap()
            .issue(&Request::client("checkout"))
            .unwrap();
        let shown = format!("{identity:?}");
        assert!(
            shown.contains("BEGIN CERTIFICATE")
                && !shown.contains("PRIVATE"),
            "{shown}"
        );
    }

    #[test]
    fn what_cannot_be_made_or_written_is_named() {
        let shop = Authority::new("shop").unwrap();
        let error = shop
            .issue(&Request::client("mail").hosts(["größe"]))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the certificate of mail cannot be made"
        );
        let identity = shop.issue(&Request::broker()).unwrap();
        let error = identity
            .write(Path::new("no/such/folder"), "broker")
            .unwrap_err();
        assert!(
            error.to_string().starts_with(
                "no/such/folder/broker.key.pem cannot be written"
            ),
            "{error}"
        );
    }
}
