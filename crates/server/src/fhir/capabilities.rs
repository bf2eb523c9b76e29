//! metadata: what this server does, exactly, and nothing that it does not.
//!
//! Everything here is generated from what runs: the kinds and search parameters from the same
//! registry that searches use. It is the one address under `/fhir` that is open to everybody: a
//! client must read it to learn how to sign in, and it says nothing about anybody.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use policy::Purpose;
use record::json::write_string;
use record::search::{ParameterType, parameters};

use super::instant::{self, Memento};
use super::{Answer, Api, Ask, Content, Gives, Grant, audit_event};
use crate::error::Error;
use crate::fhir::scope::Scopes;
use crate::permit::Who;
use crate::programme::Actor;

/// The statement by base address; clients use one or two.
#[derive(Default)]
pub struct Cache(Mutex<HashMap<String, Bytes>>);

/// How many base addresses are remembered.
const CACHED_MAX: usize = 16;

/// What a client can do with every kind.
const INTERACTIONS: [&str; 7] = [
    "read",
    "vread",
    "update",
    "delete",
    "history-instance",
    "create",
    "search-type",
];

/// A request that needs no token.
pub struct Open(Ask);

impl FromRequestParts<Api> for Open {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Open, Error> {
        let actor = Actor {
            name: "nobody".to_owned(),
            purpose: "HOPERAT".to_owned(),
        };
        let who = Who::program("nobody", Vec::new());
        let nobody = Grant::of_client(actor, Scopes::default(), who, Purpose::Operations);
        Ask::understand(api, parts, nobody.into()).map(Open)
    }
}

/// `GET [base]/metadata`
pub async fn get(State(_): State<Api>, Open(ask): Open) -> Result<Response, Error> {
    Ok(capabilities(&ask)?.respond(&ask))
}

/// The CapabilityStatement.
pub fn capabilities(ask: &Ask) -> Result<Answer, Error> {
    let cache = &ask.api.0.capabilities.0;
    let lock = || {
        cache
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    };
    let known = lock().get(&ask.base).cloned();
    let statement = match known {
        Some(statement) => statement,
        None => {
            let date = instant::to_fhir(ask.api.0.started_at);
            let made = Bytes::from(statement(&ask.base, &date));
            let mut cached = lock();
            if cached.len() >= CACHED_MAX {
                cached.clear();
            }
            cached.insert(ask.base.clone(), made.clone());
            made
        }
    };
    let view = ask.view();
    Ok(Answer {
        content: Content::Shared(statement),
        varies: true,
        memento: Memento::of(ask, &view),
        gives: Gives::Nothing("what this server can do is open to everybody"),
        ..Answer::empty(StatusCode::OK)
    })
}

/// Writes members and items with their commas.
struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, text: &str) -> &mut Writer {
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn string(&mut self, text: &str) -> &mut Writer {
        write_string(text, &mut self.0);
        self
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut one: impl FnMut(&mut Writer, T)) {
        self.raw("[");
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.raw(",");
            }
            one(self, item);
        }
        self.raw("]");
    }

    fn codes<'c>(&mut self, codes: impl IntoIterator<Item = &'c str>) {
        self.list(codes, |out, code| {
            out.raw("{\"code\":").string(code).raw("}");
        });
    }

    fn strings<'c>(&mut self, texts: impl IntoIterator<Item = &'c str>) {
        self.list(texts, |out, text| {
            out.string(text);
        });
    }
}

fn statement(base: &str, date: &str) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(512 << 10));
    out.raw("{\"resourceType\":\"CapabilityStatement\",\"status\":\"active\",\"date\":")
        .string(date);
    out.raw(",\"publisher\":\"Homecoming\",\"kind\":\"instance\"");
    out.raw(",\"software\":{\"name\":\"Homecoming\",\"version\":");
    out.string(env!("CARGO_PKG_VERSION"));
    out.raw("},\"implementation\":{\"description\":\"A Homecoming programme\",\"url\":")
        .string(base);
    out.raw("},\"fhirVersion\":\"4.0.1\",\"format\":[\"application/fhir+json\",\"json\"],\"rest\":[{\"mode\":\"server\",\"documentation\":");
    out.string(DOCUMENTATION);
    out.raw(",\"security\":{\"extension\":[{\"url\":");
    out.string("http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris");
    out.raw(",\"extension\":");
    let own = base.strip_suffix("/fhir").unwrap_or(base);
    out.list(
        ["authorize", "token", "revoke", "introspect"],
        |out, name| {
            out.raw("{\"url\":").string(name).raw(",\"valueUri\":");
            out.string(&format!("{own}/oauth/{name}")).raw("}");
        },
    );
    out.raw("}],\"cors\":true,\"service\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/restful-security-service\",\"code\":\"SMART-on-FHIR\"}]}],\"description\":");
    out.string(SECURITY);
    out.raw("},\"resource\":");
    out.list(record::definitions::kinds(), resource);
    out.raw(",\"interaction\":");
    out.codes(["transaction", "batch"]);
    out.raw("}]}");
    out.0
}

const DOCUMENTATION: &str = "Every read and search can be made as of any instant: send \
`Accept-Datetime` (RFC 7089) or `_asof` (an instant, a date, or `size:N` for the first N ledger \
entries); the answer carries `Memento-Datetime`. `$receipt` on a resource or a version is the \
proof that it is in the ledger (C2SP tlog-proof); a create or update of one resource is answered \
with it if the client prefers `return=receipt` and may read. `POST Kind/$promise` with a resource about a \
patient gives a signed promise that it is on the record within `hours` (24 unless given), which \
`homecoming verify` holds against a receipt or an export; nothing is stored by it. Search parameters that FHIR does not know are \
left out and told unless `Prefer: handling=strict`; what it knows and this server does not support, and invalid \
values, are refused unless `handling=lenient`; a modifier that is not supported is always refused. Resources are \
held against R4's structure, its required codes and its rule for narratives; profiles, other invariants and \
terminology are not checked, here or by `$validate`. Result \
parameters: `_count`, `_sort`, `_include`, `_revinclude` (both with `:iterate`), `_elements`, \
`_summary=count`, `_total`. Pages are stable: `next` stays in the state that the search began in. \
Chained and composite parameters and `_has` are not supported. Every answer that gives something of \
the record out is on the access log before it is given; its leaves are the AuditEvents `access-N`, \
found together with those that clients store, the newest first, without counts and includes. A \
disputed entry is found with what the person says of it by `_revinclude=Task:focus` and \
`_revinclude=DocumentReference:related`; those Tasks are written by the programme alone.";

const SECURITY: &str = "A bearer token on everything but this statement, with SMART scopes \
(`patient/Observation.rs?category=laboratory`, `user/*.rs`, `system/*.cruds`). Programs that act for \
themselves sign an assertion (SMART backend services, RS384 or ES384); apps that people start use the \
code flow with PKCE (S256). An officer registers them under Apps, or `homecoming client add`; \
`.well-known/smart-configuration` says the rest. Pages of registered apps may read answers (CORS). \
Beyond scopes a policy decides over every version by role, relation to the person, purpose, kind of record \
and security labels: what is not for whoever asks answers as if it were not there, and a total counts \
what they may see or is left out. The purpose is the registration's, or, of a program that acts for \
itself, a code in the header `Purpose-Of-Use`.";

fn resource(out: &mut Writer, kind: &'static str) {
    // Those of the access log have one version each, and nothing comes along with them.
    let is_log = kind == audit_event::KIND;
    out.raw("{\"type\":").string(kind).raw(",\"interaction\":");
    out.codes(
        INTERACTIONS
            .into_iter()
            .filter(|code| !is_log || *code != "history-instance"),
    );
    out.raw(",\"versioning\":\"versioned-update\",\"readHistory\":true,\"updateCreate\":true");
    out.raw(",\"conditionalCreate\":true,\"conditionalRead\":\"full-support\"");
    out.raw(",\"conditionalUpdate\":true,\"conditionalDelete\":\"single\"");
    out.raw(",\"referencePolicy\":[\"literal\",\"logical\"]");
    let supported = || {
        parameters()
            .of_kind(kind)
            .iter()
            .filter(|parameter| parameter.of_type.is_supported())
    };
    let references =
        || supported().filter(|parameter| parameter.of_type == ParameterType::Reference);
    if references().next().is_some() && !is_log {
        out.raw(",\"searchInclude\":");
        let all = format!("{kind}:*");
        let each: Vec<String> = references()
            .map(|parameter| format!("{kind}:{}", parameter.code))
            .collect();
        out.strings(std::iter::once(all.as_str()).chain(each.iter().map(String::as_str)));
    }
    let back: Vec<String> = parameters()
        .all()
        .iter()
        .filter(|parameter| {
            parameter.of_type == ParameterType::Reference && parameter.targets().contains(&kind)
        })
        .map(|parameter| format!("{}:{}", parameter.kind, parameter.code))
        .collect();
    if !back.is_empty() && !is_log {
        out.raw(",\"searchRevInclude\":");
        out.strings(back.iter().map(String::as_str));
    }
    out.raw(",\"searchParam\":[");
    out.raw("{\"name\":\"_id\",\"definition\":\"http://hl7.org/fhir/SearchParameter/Resource-id\",\"type\":\"token\"}");
    out.raw(",{\"name\":\"_lastUpdated\",\"definition\":\"http://hl7.org/fhir/SearchParameter/Resource-lastUpdated\",\"type\":\"date\"}");
    for parameter in supported() {
        out.raw(",{\"name\":").string(parameter.code);
        out.raw(",\"definition\":").string(&parameter.url());
        out.raw(",\"type\":")
            .string(parameter.of_type.name())
            .raw("}");
    }
    out.raw("],\"operation\":[{\"name\":\"receipt\",\"definition\":");
    out.string("https://c2sp.org/tlog-proof");
    out.raw("},{\"name\":\"promise\",\"definition\":");
    out.string("urn:homecoming:operation:promise");
    out.raw("},{\"name\":\"validate\",\"definition\":\"http://hl7.org/fhir/OperationDefinition/Resource-validate\"}]}");
}
