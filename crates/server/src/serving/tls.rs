//! TLS by rustls, for those who have no proxy in front.
//!
//! Certificates and keys are read once, at the start. TLS 1.2 and 1.3 with rustls' own choice of suites.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// From PEM files: the certificate with those that lead to its root, and its key. The error is a sentence for
    /// whoever runs the program.
    pub fn read(certificate: &Path, key: &Path) -> Result<Tls, String> {
        let cannot = |path: &Path, why: &dyn std::fmt::Display| {
            format!("{} cannot be used for TLS: {why}", path.display())
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|why| cannot(certificate, &why))?;
        if chain.is_empty() {
            return Err(cannot(certificate, &"there is no certificate in it (PEM)"));
        }
        let private = PrivateKeyDer::from_pem_file(key).map_err(|why| cannot(key, &why))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config
                    .with_no_client_auth()
                    .with_single_cert(chain, private)
            })
            .map_err(|why| cannot(certificate, &why))?;
        Ok(Tls(Arc::new(config)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.clone())
    }
}
