//! Bundles, written by hand around the served bytes: no resource is parsed to be listed.

use record::json::write_string;

use super::{etag, instant};
use crate::programme::Version;

/// A bundle that is being written.
pub struct Bundle {
    out: Vec<u8>,
    entries: usize,
}

/// What an entry's `search.mode` says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It was searched for.
    Match,
    /// Something that was searched for refers to it.
    Include,
    /// It says something about the search.
    Outcome,
}

impl Bundle {
    /// Begins a bundle of a type, with a total if it is known, and links (relation, address).
    pub fn new(kind: &str, total: Option<u64>, links: &[(&str, String)]) -> Bundle {
        let mut out = Vec::with_capacity(4096);
        out.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        if let Some(total) = total {
            out.extend_from_slice(format!(",\"total\":{total}").as_bytes());
        }
        if !links.is_empty() {
            out.extend_from_slice(b",\"link\":[");
            for (place, (relation, address)) in links.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(b"{\"relation\":\"");
                out.extend_from_slice(relation.as_bytes());
                out.extend_from_slice(b"\",\"url\":");
                write_string(address, &mut out);
                out.push(b'}');
            }
            out.push(b']');
        }
        Bundle { out, entries: 0 }
    }

    fn begin_entry(&mut self) {
        self.out.extend_from_slice(if self.entries == 0 {
            b",\"entry\":[{"
        } else {
            b",{"
        });
        self.entries += 1;
    }

    fn full_url(&mut self, base: &str, kind: &str, id: &str) {
        self.out.extend_from_slice(b"\"fullUrl\":");
        write_string(&format!("{base}/{kind}/{id}"), &mut self.out);
        self.out.push(b',');
    }

    fn resource(&mut self, version: &Version) {
        self.out.extend_from_slice(b"\"resource\":");
        record::stored::served(
            &version.stored,
            version.version,
            version.recorded_at,
            &mut self.out,
        );
    }

    /// An entry of a search: a version that was found. `json` replaces what is served.
    pub fn found(&mut self, base: &str, version: &Version, mode: Mode, json: Option<&[u8]>) {
        self.begin_entry();
        self.full_url(base, &version.kind, &version.id);
        match json {
            Some(json) => {
                self.out.extend_from_slice(b"\"resource\":");
                self.out.extend_from_slice(json);
            }
            None => self.resource(version),
        }
        self.mode(mode);
        self.out.push(b'}');
    }

    /// An entry of a search: a resource that is no version of the ledger.
    pub fn written(&mut self, base: &str, kind: &str, id: &str, json: &[u8], mode: Mode) {
        self.begin_entry();
        self.full_url(base, kind, id);
        self.out.extend_from_slice(b"\"resource\":");
        self.out.extend_from_slice(json);
        self.mode(mode);
        self.out.push(b'}');
    }

    /// An entry of a search that says something about it.
    pub fn told(&mut self, outcome: &[u8]) {
        self.begin_entry();
        self.out.extend_from_slice(b"\"resource\":");
        self.out.extend_from_slice(outcome);
        self.mode(Mode::Outcome);
        self.out.push(b'}');
    }

    fn mode(&mut self, mode: Mode) {
        self.out.extend_from_slice(match mode {
            Mode::Match => b",\"search\":{\"mode\":\"match\"}".as_slice(),
            Mode::Include => b",\"search\":{\"mode\":\"include\"}".as_slice(),
            Mode::Outcome => b",\"search\":{\"mode\":\"outcome\"}".as_slice(),
        });
    }

    /// An entry of a history: a version, and what made it.
    pub fn recorded(&mut self, base: &str, version: &Version, created: bool) {
        let Version { kind, id, .. } = version;
        self.begin_entry();
        self.full_url(base, kind, id);
        let (method, status) = match (version.deleted, created) {
            (true, _) => ("DELETE", "204 No Content"),
            (false, true) => ("PUT", "201 Created"),
            (false, false) => ("PUT", "200 OK"),
        };
        if !version.deleted {
            self.resource(version);
            self.out.push(b',');
        }
        let request = format!("\"request\":{{\"method\":\"{method}\",\"url\":\"{kind}/{id}\"}},");
        self.out.extend_from_slice(request.as_bytes());
        self.response(&Response {
            status,
            location: None,
            version: Some((version.version, version.recorded_at)),
            outcome: None,
        });
        self.out.push(b'}');
    }

    /// An entry of a batch's or transaction's answer. `full` names the resource, if it is there.
    pub fn answered(
        &mut self,
        full: Option<(&str, &str, &str)>,
        resource: Option<&[u8]>,
        response: &Response<'_>,
    ) {
        self.begin_entry();
        if let Some((base, kind, id)) = full {
            self.full_url(base, kind, id);
        }
        if let Some(resource) = resource {
            self.out.extend_from_slice(b"\"resource\":");
            self.out.extend_from_slice(resource);
            self.out.push(b',');
        }
        self.response(response);
        self.out.push(b'}');
    }

    fn response(&mut self, response: &Response<'_>) {
        self.out.extend_from_slice(b"\"response\":{\"status\":");
        write_string(response.status, &mut self.out);
        if let Some(location) = response.location {
            self.out.extend_from_slice(b",\"location\":");
            write_string(location, &mut self.out);
        }
        if let Some((version, recorded_at)) = response.version {
            self.out.extend_from_slice(b",\"etag\":");
            write_string(&etag(version), &mut self.out);
            self.out.extend_from_slice(b",\"lastModified\":");
            write_string(&instant::to_fhir(recorded_at), &mut self.out);
        }
        if let Some(outcome) = response.outcome {
            self.out.extend_from_slice(b",\"outcome\":");
            self.out.extend_from_slice(outcome);
        }
        self.out.push(b'}');
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> usize {
        self.out.len()
    }

    /// The whole bundle.
    pub fn finish(mut self) -> Vec<u8> {
        self.out
            .extend_from_slice(if self.entries == 0 { b"}" } else { b"]}" });
        self.out
    }
}

/// The `response` of an entry.
pub struct Response<'r> {
    /// `201 Created`
    pub status: &'r str,
    /// `Kind/id/_history/version`
    pub location: Option<&'r str>,
    /// For `etag` and `lastModified`.
    pub version: Option<(u32, record::time::RecordedAt)>,
    /// An OperationOutcome.
    pub outcome: Option<&'r [u8]>,
}
