//! Merkle tree, checkpoints, signed notes and proofs, as C2SP specifies them. No clock, no IO, no async.
//!
//! An auditor builds this crate alone and checks with it what a programme handed
//! out: it needs nothing but bytes in memory and the log's public key.
//!
//! | part | what it is | specification |
//! |---|---|---|
//! | [`leaf_hash`], [`node_hash`] | the two hashes of the tree | RFC 6962, 2.1 |
//! | [`Frontier`], [`Edge`], [`Tree`] | the tree growing: its right edge, the edge as tiles, all of it in memory | RFC 6962, tlog-tiles |
//! | [`TileSource`] | where the stored hashes come from | tlog-tiles |
//! | [`prove_inclusion`], [`prove_consistency`] and their `verify_` halves | proofs | RFC 6962, 2.1.1 and 2.1.2 |
//! | [`prove_inclusions`], [`verify_inclusions`] | proofs of several leaves at once | (ours) |
//! | [`note`] | text signed with Ed25519 | signed-note |
//! | [`checkpoint`] | the signed size and root of a log | tlog-checkpoint |
//! | [`cosignature`] | a witness's signature on a checkpoint, with the time | tlog-cosignature |
//! | [`policy`] | which logs and how many witnesses it takes | tlog-policy |
//! | [`witness`] | what a witness is asked, and what it decides | tlog-witness |
//! | [`proof`] | the receipt: a leaf's place under a signed checkpoint | tlog-proof |
//! | [`paths`], [`entries`] | where tiles and entries are served, and the form of the entries | tlog-tiles |
//!
//! Everything is strict: one text has one reading, and a value has one text.
//! Whatever is read was written by somebody else, so every parser names the part
//! that it refuses.
//!
//! An inclusion proof for size *n* very often also verifies against the size
//! *n* + 1 with the same root, because the size only gives the shape of the path.
//! So a size and a root are only ever taken together, from one signed checkpoint;
//! [`proof::Proof::verify`] does it so.
//!
//! # Example
//!
//! A log of two leaves, and a receipt for the first one:
//!
//! ```
//! use tlog::checkpoint::Checkpoint;
//! use tlog::note::SigningKey;
//! use tlog::proof::Proof;
//! use tlog::{Tree, leaf_hash, prove_inclusion, root_at};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::from_seed("ward.example", &[7; 32])?; // 32 bytes of chance
//! let log: Tree = [b"admitted", b"released"].iter().map(|leaf| leaf_hash(*leaf)).collect();
//! let checkpoint = Checkpoint {
//!     origin: "ward.example".to_owned(),
//!     size: log.size(),
//!     root: root_at(log.size(), &log)?,
//!     extensions: Vec::new(),
//! };
//! let receipt = Proof {
//!     extra: None,
//!     index: 0,
//!     hashes: prove_inclusion(0, log.size(), &log)?,
//!     checkpoint: checkpoint.sign(&key)?,
//! }
//! .to_string();
//!
//! // Elsewhere, with nothing but the receipt, the leaf and the log's public key:
//! let verified = Proof::parse(&receipt)?.verify(b"admitted", key.verifier(), "ward.example")?;
//! assert_eq!((verified.index, verified.checkpoint.size), (0, 2));
//! assert!(Proof::parse(&receipt)?.verify(b"released", key.verifier(), "ward.example").is_err());
//! # Ok(())
//! # }
//! ```

pub mod checkpoint;
mod consistency;
pub mod cosignature;
mod encoding;
pub mod entries;
mod frontier;
mod hash;
mod inclusion;
mod inclusions;
pub mod note;
mod path;
pub mod paths;
pub mod policy;
pub mod proof;
mod tile;
mod tree;
pub mod witness;

pub use consistency::{prove_consistency, verify_consistency};
pub use frontier::{Edge, Frontier};
pub use hash::{Hash, leaf_hash, node_hash, root_of_empty};
pub use inclusion::{prove_inclusion, verify_inclusion};
pub use inclusions::{join_inclusions, prove_inclusions, verify_inclusions};
pub use path::ProofError;
pub use tile::{
    FullTile, TILE_BYTES, TILE_WIDTH, TileSource, TreeError, root_at, tile_root, width,
};
pub use tree::Tree;
