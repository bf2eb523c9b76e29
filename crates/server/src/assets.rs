//! The files that the pages link to, inside the binary. Their names hold a hash of their content,
//! so they may be kept for ever. The scripts are small modules of our own; every page works without them.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// What every page is served with: our style sheets, modules and images, requests and forms to
/// ourselves, nothing else, and nothing inline.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// One file.
pub struct Asset {
    /// Where it is served: `/assets/uswds-1f0c….css`.
    pub path: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// The same, compressed (`Content-Encoding: gzip`).
    pub gzip: Option<&'static [u8]>,
    /// SHA-256 of the content, in hexadecimal: the ETag.
    pub hash: String,
    name: &'static str,
}

type Source = (
    &'static str,
    &'static str,
    &'static [u8],
    Option<&'static [u8]>,
);

const SOURCES: [Source; 6] = [
    (
        "uswds.css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/vendor/uswds/uswds.css"),
        Some(include_bytes!("../assets/vendor/uswds/uswds.css.gz")),
    ),
    (
        "homecoming.css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/homecoming.css"),
        Some(include_bytes!("../assets/homecoming.css.gz")),
    ),
    (
        "mark.svg",
        "image/svg+xml",
        include_bytes!("../assets/mark.svg"),
        None,
    ),
    (
        "passkey.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/passkey.js"),
        None,
    ),
    (
        "session.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/session.js"),
        None,
    ),
    (
        "enrol.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/enrol.js"),
        None,
    ),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    SOURCES
        .into_iter()
        .map(|(name, content_type, bytes, gzip)| {
            let hash: String = Sha256::digest(bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
            Asset {
                path: format!("/assets/{stem}-{}.{ending}", &hash[..12]),
                content_type,
                bytes,
                gzip,
                hash,
                name,
            }
        })
        .collect()
});

/// Every file.
pub fn all() -> &'static [Asset] {
    &ASSETS
}

/// The file at a path, if there is one.
pub fn at(path: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Where the file of this name is served.
pub(crate) fn path(name: &str) -> &'static str {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .map_or("", |asset| &asset.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The CRC-32 of gzip.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 {
                    crc >> 1 ^ 0xedb8_8320
                } else {
                    crc >> 1
                }
            })
        })
    }

    #[test]
    fn compressed_copies_are_of_what_is_served() {
        for asset in all() {
            assert!(at(&asset.path).is_some());
            let Some(gzip) = asset.gzip else { continue };
            let (sum, length) = gzip[gzip.len() - 8..].split_at(4);
            assert_eq!(
                sum,
                crc32(asset.bytes).to_le_bytes(),
                "{}: run tools/uswds.sh gzip",
                asset.path
            );
            assert_eq!(length, (asset.bytes.len() as u32).to_le_bytes());
        }
    }

    #[test]
    fn vendored_files_are_what_the_manifest_says() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/vendor/uswds");
        let manifest = std::fs::read_to_string(format!("{folder}/SHA256SUMS")).unwrap();
        for line in manifest.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            let bytes = std::fs::read(format!("{folder}/{name}")).unwrap();
            let found: String = Sha256::digest(&bytes)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            assert_eq!(found, sum, "{name}");
        }
    }

    #[test]
    fn style_sheets_are_small_and_load_nothing() {
        let mut total = 0;
        for asset in all()
            .iter()
            .filter(|asset| asset.content_type.starts_with("text/css"))
        {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            assert!(
                !text.contains("url(") && !text.contains("@import"),
                "{}",
                asset.path
            );
            total += text.len();
        }
        assert!(total < 35_000, "{total} bytes of style");
    }
}
