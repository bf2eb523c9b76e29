//! The rules, read and checked once, and the decision.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::{
    ActionConstraint, Authorizer, Context, Decision, Effect, Entities, Entity, EntityId,
    EntityTypeName, EntityUid, PolicyId, PolicySet, PrincipalConstraint, ResourceConstraint,
    RestrictedExpression, Schema, ValidationMode, Validator,
};

use crate::ask::{Consent, Facts, Obligation, Reason, Request, Verdict, Warrant};
use crate::words::{Action, Kind, Purpose, Role};

mod flaw;

pub use flaw::Flaw;

/// The base policy, as text.
pub const BASE: &str = include_str!("base.cedar");

/// What a policy can speak of, as text.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// The longest text that a programme may add, in bytes.
pub const ADDED_MAX: usize = 64 * 1024;

/// What refuses everything.
const CLOSED: &str = r#"
@id("closed")
@because("The policy in force cannot be read by this program, so nothing is open to anybody. Tell an officer and whoever runs the server.")
forbid (principal, action, resource);
"#;

/// What is said when nothing allows it, nothing forbids it, and no policy says what would be needed.
const NOT_FOR_YOUR_ROLE: &str = "Your role has no part in this.";
/// What is said when it could not be decided.
const UNDECIDED: &str = "This could not be decided, so the answer is no. Tell an officer: the policy in force needs \
     to be looked at.";

/// One policy of the text, as far as the answer needs it.
struct Told {
    /// Its place in the text: reasons are given in this order.
    place: usize,
    reason: Reason,
    obliges: Vec<Obligation>,
}

/// What can apply to one role, action and kind: a policy whose scope does not match never decides, so
/// leaving it out changes nothing but the time that it takes.
struct Slice {
    policies: PolicySet,
    /// What the permits among them need.
    needs: Vec<Reason>,
}

/// How many decisions are kept, so that the same question is not worked out again.
const MEMO_MAX: usize = 16 * 1024;

/// A policy in force: the base, and what a programme added.
pub struct Policy {
    added: String,
    /// How many of the policies are the base.
    of_base: usize,
    /// Whether a policy may look at who asks, beyond their role.
    names_actors: bool,
    /// Decisions that were made: a question has one answer, so nothing but the time depends on it.
    memo: RwLock<HashMap<(u64, String), Verdict>>,
    told: HashMap<PolicyId, Told>,
    slices: Vec<Slice>,
    entities: Entities,
    names: Names,
    authorizer: Authorizer,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("policies", &self.told.len())
            .field("added", &self.added)
            .finish_non_exhaustive()
    }
}

impl Policy {
    /// The base policy alone.
    pub fn base() -> Policy {
        match Policy::with("") {
            Ok(policy) => policy,
            // Checked by a test: the text is part of the program.
            Err(flaws) => unreachable!("the base policy is flawed: {flaws:?}"),
        }
    }

    /// One that refuses everything: what is in force when what should be cannot be read.
    pub fn closed() -> Policy {
        match Policy::with(CLOSED) {
            Ok(policy) => policy,
            // Checked by a test: the text is part of the program.
            Err(flaws) => unreachable!("the closed policy is flawed: {flaws:?}"),
        }
    }

    /// The base policy and what a programme adds to it, checked strictly; every flaw is named.
    ///
    /// What is added may forbid more, and may permit what the base neither permits nor forbids. What the
    /// base forbids stays forbidden.
    pub fn with(added: &str) -> Result<Policy, Vec<Flaw>> {
        if added.len() > ADDED_MAX {
            return Err(vec![Flaw::TooLong]);
        }
        let names = Names::new();
        let mut all = read(BASE)?;
        let of_base = all.len();
        for one in read(added)? {
            if all.iter().any(|other| other.id() == one.id()) {
                return Err(vec![Flaw::NamedTwice {
                    id: one.id().to_string(),
                }]);
            }
            all.push(one);
        }
        check(&all, &names)?;
        let told = tell(&all)?;
        let slices = slices(&all, &told, &names);
        Ok(Policy {
            added: added.to_owned(),
            of_base,
            // A string can be written with escapes; whoever does that costs time, not correctness.
            names_actors: added.contains("actor") || added.contains('\\'),
            memo: RwLock::default(),
            told,
            slices,
            entities: names.entities(),
            names,
            authorizer: Authorizer::new(),
        })
    }

    /// What the programme added, as text.
    pub fn added(&self) -> &str {
        &self.added
    }

    /// The ids of all policies with the sentence of each, in the order of the text.
    pub fn policies(&self) -> Vec<Reason> {
        let mut told: Vec<&Told> = self.told.values().collect();
        told.sort_by_key(|one| one.place);
        told.into_iter().map(|one| one.reason.clone()).collect()
    }

    /// The same of what the programme added.
    pub fn added_policies(&self) -> Vec<Reason> {
        self.policies().split_off(self.of_base)
    }

    /// Whether the same rules can apply to this role, action and kind in both: then both answer alike.
    pub(crate) fn same_rules(
        &self,
        other: &Policy,
        role: Role,
        action: Action,
        kind: Kind,
    ) -> bool {
        let at = place_of(role, action, kind);
        match (self.slices.get(at), other.slices.get(at)) {
            (Some(one), Some(two)) => one.policies == two.policies,
            _ => false,
        }
    }

    /// Decides. There is always an answer; whatever goes wrong is a no.
    pub fn decide(&self, request: &Request<'_>) -> Verdict {
        let question = self.question(request);
        let known = self.memo.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = known.get(&question) {
            return verdict.clone();
        }
        drop(known);
        let verdict = self.work_out(request);
        let mut memo = self.memo.write().unwrap_or_else(PoisonError::into_inner);
        if memo.len() >= MEMO_MAX {
            memo.clear();
        }
        memo.insert(question, verdict.clone());
        verdict
    }

    /// The question as a key: two requests with the same key have the same answer.
    fn question(&self, request: &Request<'_>) -> (u64, String) {
        let mut bits = place(request) as u64;
        bits = bits * 16 + request.purpose as u64;
        bits = bits * 4 + consent_place(request.facts.consent) as u64;
        bits = bits * 4 + warrant_place(request.facts.warrant) as u64;
        for (_, flag) in flags(&request.facts) {
            bits = bits * 2 + u64::from(flag);
        }
        let mut words = String::new();
        for label in request.labels {
            words.push_str(&label.len().to_string());
            words.push(':');
            words.push_str(label);
        }
        if self.names_actors {
            words.push('@');
            words.push_str(request.subject.name);
        }
        (bits, words)
    }

    fn work_out(&self, request: &Request<'_>) -> Verdict {
        // The evaluator is not ours: should it ever panic, that is a no like any other error.
        catch_unwind(AssertUnwindSafe(|| self.ask(request))).unwrap_or_else(|_| undecided())
    }

    fn ask(&self, request: &Request<'_>) -> Verdict {
        let Some(slice) = self.slices.get(place(request)) else {
            return undecided();
        };
        let Ok(asked) = self.names.request(request) else {
            return undecided();
        };
        let response = self
            .authorizer
            .is_authorized(&asked, &slice.policies, &self.entities);
        // Cedar skips a policy that errs, one that forbids too; here an error is a no.
        if response.diagnostics().errors().next().is_some() {
            return undecided();
        }
        let mut deciding: Vec<&Told> = response
            .diagnostics()
            .reason()
            .filter_map(|id| self.told.get(id))
            .collect();
        deciding.sort_by_key(|told| told.place);
        let allowed = response.decision() == Decision::Allow;
        let reasons = match deciding.is_empty() {
            false => deciding.iter().map(|told| told.reason.clone()).collect(),
            true if allowed => return undecided(),
            true => slice.needs.clone(),
        };
        let mut obligations: Vec<Obligation> = match allowed {
            true => deciding
                .iter()
                .flat_map(|told| told.obliges.iter().copied())
                .collect(),
            false => Vec::new(),
        };
        obligations.sort_unstable();
        obligations.dedup();
        Verdict {
            allowed,
            reasons,
            obligations,
        }
    }
}

fn undecided() -> Verdict {
    Verdict {
        allowed: false,
        reasons: vec![Reason {
            policy: Arc::from(""),
            sentence: Arc::from(UNDECIDED),
        }],
        obligations: Vec::new(),
    }
}

/// Reads a text into policies that bear the names which they give themselves, in its order.
fn read(text: &str) -> Result<Vec<cedar_policy::Policy>, Vec<Flaw>> {
    let set = PolicySet::from_str(text).map_err(|errors| {
        errors
            .iter()
            .map(|error| Flaw::Syntax {
                what: error.to_string(),
            })
            .collect::<Vec<_>>()
    })?;
    if set.templates().next().is_some() {
        return Err(vec![Flaw::Template]);
    }
    let mut policies: Vec<_> = set.policies().cloned().collect();
    // The parser numbers them: policy0, policy1...
    policies.sort_by_key(|policy| {
        let number = policy.id().to_string();
        number
            .strip_prefix("policy")
            .and_then(|n| n.parse::<usize>().ok())
    });
    let mut named = Vec::with_capacity(policies.len());
    let mut seen = HashSet::new();
    let mut flaws = Vec::new();
    for (at, policy) in policies.into_iter().enumerate() {
        let Some(id) = policy.annotation("id").filter(|id| is_name(id)) else {
            flaws.push(Flaw::Unnamed { number: at + 1 });
            continue;
        };
        if !seen.insert(id.to_owned()) {
            flaws.push(Flaw::NamedTwice { id: id.to_owned() });
        }
        named.push(policy.new_id(PolicyId::new(id)));
    }
    match flaws.is_empty() {
        true => Ok(named),
        false => Err(flaws),
    }
}

/// Names go into logs: short, plain, and nobody's name by accident of spelling.
fn is_name(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Strict validation against the schema, and that every role, kind, group and class named exists.
fn check(policies: &[cedar_policy::Policy], names: &Names) -> Result<(), Vec<Flaw>> {
    let mut flaws = Vec::new();
    for policy in policies {
        for literal in policy.entity_literals() {
            if !names.knows(&literal) {
                flaws.push(Flaw::Unknown {
                    id: policy.id().to_string(),
                    word: literal.to_string(),
                });
            }
        }
    }
    let set = PolicySet::from_policies(policies.iter().cloned()).map_err(|error| {
        vec![Flaw::Syntax {
            what: error.to_string(),
        }]
    })?;
    let result = Validator::new(names.schema.clone()).validate(&set, ValidationMode::Strict);
    flaws.extend(result.validation_errors().map(|error| Flaw::Invalid {
        what: error.to_string(),
    }));
    // A policy that can never apply is a mistake too.
    flaws.extend(result.validation_warnings().map(|warning| Flaw::Invalid {
        what: warning.to_string(),
    }));
    match flaws.is_empty() {
        true => Ok(()),
        false => Err(flaws),
    }
}

fn tell(policies: &[cedar_policy::Policy]) -> Result<HashMap<PolicyId, Told>, Vec<Flaw>> {
    let mut told = HashMap::with_capacity(policies.len());
    let mut flaws = Vec::new();
    for (place, policy) in policies.iter().enumerate() {
        let id = policy.id().to_string();
        let Some(because) = policy.annotation("because").filter(|text| !text.is_empty()) else {
            flaws.push(Flaw::NoReason { id });
            continue;
        };
        let words = policy.annotation("obliges").unwrap_or_default();
        let mut obliges = Vec::new();
        for word in words.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            match Obligation::parse(word) {
                Some(obligation) => obliges.push(obligation),
                None => flaws.push(Flaw::Obligation {
                    id: id.clone(),
                    word: word.to_owned(),
                }),
            }
        }
        let reason = Reason {
            policy: Arc::from(id.as_str()),
            sentence: Arc::from(because),
        };
        told.insert(
            policy.id().clone(),
            Told {
                place,
                reason,
                obliges,
            },
        );
    }
    match flaws.is_empty() {
        true => Ok(told),
        false => Err(flaws),
    }
}

fn place(request: &Request<'_>) -> usize {
    place_of(request.subject.role, request.action, request.kind)
}

/// Where the slice of a role, an action and a kind is.
fn place_of(role: Role, action: Action, kind: Kind) -> usize {
    (role as usize * Action::ALL.len() + action as usize) * Kind::ALL.len() + kind as usize
}

fn slices(
    policies: &[cedar_policy::Policy],
    told: &HashMap<PolicyId, Told>,
    names: &Names,
) -> Vec<Slice> {
    let mut slices = Vec::new();
    for role in Role::ALL {
        for action in Action::ALL {
            for kind in Kind::ALL {
                let matching: Vec<_> = policies
                    .iter()
                    .filter(|policy| names.in_scope(policy, *role, *action, *kind))
                    .collect();
                let needs = needs(&matching, told);
                slices.push(Slice {
                    policies: PolicySet::from_policies(matching.into_iter().cloned())
                        .unwrap_or_default(),
                    needs,
                });
            }
        }
    }
    slices
}

/// What would have to be so, if nothing allows it.
fn needs(matching: &[&cedar_policy::Policy], told: &HashMap<PolicyId, Told>) -> Vec<Reason> {
    let mut needs: Vec<Reason> = matching
        .iter()
        .filter(|policy| policy.effect() == Effect::Permit)
        .filter_map(|policy| {
            Some(Reason {
                policy: told.get(policy.id())?.reason.policy.clone(),
                sentence: Arc::from(policy.annotation("needs")?),
            })
        })
        .collect();
    if needs.is_empty() {
        needs.push(Reason {
            policy: Arc::from(""),
            sentence: Arc::from(NOT_FOR_YOUR_ROLE),
        });
    }
    needs
}

/// Cedar's names of our words, made once.
struct Names {
    schema: Schema,
    roles: Vec<EntityUid>,
    actions: Vec<EntityUid>,
    kinds: Vec<EntityUid>,
    purposes: Vec<EntityUid>,
    consents: [EntityUid; 3],
    warrants: [EntityUid; 4],
}

impl Names {
    fn new() -> Names {
        let schema = match Schema::from_cedarschema_str(SCHEMA) {
            Ok((schema, _)) => schema,
            // Checked by a test: the text is part of the program.
            Err(error) => unreachable!("the schema is flawed: {error}"),
        };
        Names {
            schema,
            roles: Role::ALL.iter().map(|x| name("Role", x.as_str())).collect(),
            actions: Action::ALL
                .iter()
                .map(|x| name("Action", x.as_str()))
                .collect(),
            kinds: Kind::ALL.iter().map(|x| name("Kind", x.as_str())).collect(),
            purposes: Purpose::ALL
                .iter()
                .map(|x| name("Purpose", x.as_str()))
                .collect(),
            consents: ["silent", "permitted", "refused"].map(|x| name("Consent", x)),
            warrants: ["none", "elsewhere", "covers", "court-order"].map(|x| name("Warrant", x)),
        }
    }

    /// Roles in their groups, kinds in their classes.
    fn entities(&self) -> Entities {
        let in_groups = |uid: &EntityUid, kind: &str, groups: &[&str]| {
            let parents = groups.iter().map(|group| name(kind, group)).collect();
            Entity::new_no_attrs(uid.clone(), parents)
        };
        let roles = Role::ALL.iter().zip(&self.roles);
        let kinds = Kind::ALL.iter().zip(&self.kinds);
        let all = roles
            .map(|(role, uid)| in_groups(uid, "Group", role.groups()))
            .chain(kinds.map(|(kind, uid)| in_groups(uid, "Class", kind.classes())));
        // Each is named once, so they cannot contradict; without them nothing is in a group, and less
        // is permitted.
        Entities::from_entities(all, None).unwrap_or_default()
    }

    /// Whether a name in a policy stands for anything.
    fn knows(&self, uid: &EntityUid) -> bool {
        let id: &str = uid.id().unescaped();
        let groups = || Role::ALL.iter().flat_map(|role| role.groups());
        let classes = || Kind::ALL.iter().flat_map(|kind| kind.classes());
        match uid.type_name().to_string().as_str() {
            "Group" => groups().any(|group| *group == id),
            "Class" => classes().any(|class| *class == id),
            _ => [&self.roles, &self.actions, &self.kinds, &self.purposes]
                .into_iter()
                .flatten()
                .chain(&self.consents)
                .chain(&self.warrants)
                .any(|known| known == uid),
        }
    }

    /// Whether a policy's scope takes in a role, an action and a kind.
    fn in_scope(
        &self,
        policy: &cedar_policy::Policy,
        role: Role,
        action: Action,
        kind: Kind,
    ) -> bool {
        let (role_name, kind_name) = (&self.roles[role as usize], &self.kinds[kind as usize]);
        let is_in = |uid: &EntityUid, own: &EntityUid, kind: &str, groups: &[&str]| {
            uid == own || groups.iter().any(|group| *uid == name(kind, group))
        };
        let who = match policy.principal_constraint() {
            PrincipalConstraint::Any => true,
            PrincipalConstraint::Eq(uid) => uid == *role_name,
            PrincipalConstraint::In(uid) => is_in(&uid, role_name, "Group", role.groups()),
            PrincipalConstraint::Is(of) => of == *role_name.type_name(),
            PrincipalConstraint::IsIn(of, uid) => {
                of == *role_name.type_name() && is_in(&uid, role_name, "Group", role.groups())
            }
        };
        let what = match policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => uid == self.actions[action as usize],
            ActionConstraint::In(uids) => uids.contains(&self.actions[action as usize]),
        };
        let which = match policy.resource_constraint() {
            ResourceConstraint::Any => true,
            ResourceConstraint::Eq(uid) => uid == *kind_name,
            ResourceConstraint::In(uid) => is_in(&uid, kind_name, "Class", kind.classes()),
            ResourceConstraint::Is(of) => of == *kind_name.type_name(),
            ResourceConstraint::IsIn(of, uid) => {
                of == *kind_name.type_name() && is_in(&uid, kind_name, "Class", kind.classes())
            }
        };
        who && what && which
    }

    /// The question in Cedar's form.
    fn request(&self, request: &Request<'_>) -> Result<cedar_policy::Request, ()> {
        let context = Context::from_pairs(self.context(request)).map_err(drop)?;
        // Its form follows from the types here; a test has it checked against the schema.
        cedar_policy::Request::new(
            self.roles[request.subject.role as usize].clone(),
            self.actions[request.action as usize].clone(),
            self.kinds[request.kind as usize].clone(),
            context,
            None,
        )
        .map_err(drop)
    }

    fn context(&self, request: &Request<'_>) -> Vec<(String, RestrictedExpression)> {
        let facts = &request.facts;
        let (consent, warrant) = (consent_place(facts.consent), warrant_place(facts.warrant));
        let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let uid = |uid: &EntityUid| RestrictedExpression::new_entity_uid(uid.clone());
        let mut pairs: Vec<(String, RestrictedExpression)> = vec![
            ("actor".to_owned(), string(request.subject.name)),
            (
                "purpose".to_owned(),
                uid(&self.purposes[request.purpose as usize]),
            ),
            (
                "labels".to_owned(),
                RestrictedExpression::new_set(request.labels.iter().map(|label| string(label))),
            ),
            ("consent".to_owned(), uid(&self.consents[consent])),
            ("warrant".to_owned(), uid(&self.warrants[warrant])),
        ];
        pairs.extend(
            flags(facts)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), RestrictedExpression::new_bool(value))),
        );
        pairs
    }
}

/// The place of a consent's name in [`Names`].
fn consent_place(consent: Consent) -> usize {
    match consent {
        Consent::Silent => 0,
        Consent::Permitted => 1,
        Consent::Refused => 2,
    }
}

/// The place of a warrant's name in [`Names`].
fn warrant_place(warrant: Warrant) -> usize {
    match warrant {
        Warrant::None => 0,
        Warrant::Elsewhere => 1,
        Warrant::Covers => 2,
        Warrant::CourtOrder => 3,
    }
}

/// The facts that are so or not, under their names in the schema.
fn flags(facts: &Facts) -> [(&'static str, bool); 15] {
    [
        ("same_programme", facts.same_programme),
        ("is_self", facts.is_self),
        ("on_caseload", facts.on_caseload),
        ("on_care_team", facts.on_care_team),
        ("delegated", facts.delegated),
        ("treats", facts.treats()),
        ("supervises", facts.supervises),
        ("wrote_it", facts.wrote_it),
        ("newcomer", facts.newcomer),
        ("own_part", facts.own_part),
        ("referred", facts.referred),
        ("break_glass", facts.break_glass),
        ("untold", facts.untold),
        ("registered", facts.registered),
        ("of_programme", facts.of_programme),
    ]
}

fn name(kind: &str, id: &str) -> EntityUid {
    match EntityTypeName::from_str(kind) {
        Ok(kind) => EntityUid::from_type_name_and_id(kind, EntityId::new(id)),
        // Only called with the names of types that are written in this file.
        Err(error) => unreachable!("{kind} is no name of a type: {error}"),
    }
}

#[cfg(test)]
mod tests;
