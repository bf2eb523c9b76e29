//! What is true of every decision, whatever the facts.

use policy::{
    Action, Consent, Facts, Flaw, Kind, Policy, Purpose, Request, Role, Subject, Warrant,
};

use crate::situation::decide;

/// Questions drawn by lot: a fixed seed, so that a failure comes again.
struct Lot(u64);

impl Lot {
    fn below(&mut self, n: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    fn facts(&mut self) -> Facts {
        Facts {
            same_programme: self.below(8) > 0,
            is_self: self.flag(),
            on_caseload: self.flag(),
            on_care_team: self.flag(),
            delegated: self.flag(),
            supervises: self.flag(),
            wrote_it: self.flag(),
            newcomer: self.flag(),
            own_part: self.flag(),
            referred: self.flag(),
            consent: self.one(&[Consent::Silent, Consent::Permitted, Consent::Refused]),
            warrant: self.one(&[
                Warrant::None,
                Warrant::Elsewhere,
                Warrant::Covers,
                Warrant::CourtOrder,
            ]),
            break_glass: self.flag(),
            untold: self.below(4) == 0,
            registered: self.flag(),
            of_programme: self.flag(),
        }
    }

    fn request(&mut self) -> Request<'static> {
        const LABELS: [&[&str]; 8] = [
            &[],
            &[],
            &["R"],
            &["V"],
            &["PSYTHPN"],
            &["SUD", "R"],
            &["HIV"],
            &["http://example.org|secret", "NODSCLCD"],
        ];
        Request {
            subject: Subject {
                role: self.one(Role::ALL),
                name: "user/7",
            },
            purpose: self.one(Purpose::ALL),
            action: self.one(Action::ALL),
            kind: self.one(Kind::ALL),
            labels: self.one(&LABELS),
            facts: self.facts(),
        }
    }
}

const QUESTIONS: usize = 8_000;

fn every_question(mut check: impl FnMut(Request<'static>)) {
    let mut lot = Lot(2026);
    for _ in 0..QUESTIONS {
        check(lot.request());
    }
}

#[test]
fn what_a_programme_forbids_never_allows_more() {
    let base = Policy::base();
    let stricter = Policy::with(
        r#"
        @id("no-research-here") @because("This programme does no research.")
        forbid (principal, action, resource) when { context.purpose == Purpose::"research" };
        @id("prescribers-on-their-own") @because("Prescribers are on the care team here, or nothing.")
        forbid (principal == Role::"prescriber", action, resource in Class::"clinical") unless { context.on_care_team };
        @id("no-secrets") @because("Labelled by us.")
        forbid (principal, action == Action::"export", resource) when { context.labels.contains("http://example.org|secret") };
        "#,
    )
    .expect("it is a policy");
    let mut narrowed = 0;
    every_question(|request| {
        let (before, after) = (base.decide(&request), stricter.decide(&request));
        assert!(before.allowed || !after.allowed, "{request:?}");
        narrowed += u32::from(before.allowed && !after.allowed);
    });
    assert!(narrowed > 30, "only {narrowed} questions were narrowed");
}

#[test]
fn what_the_base_forbids_nothing_that_is_added_allows() {
    let base = Policy::base();
    let open = Policy::with(
        r#"@id("everything") @because("Everybody may do everything.") permit (principal, action, resource);"#,
    )
    .expect("it is a policy");
    let forbidding: Vec<String> = base
        .policies()
        .into_iter()
        .map(|reason| reason.policy.to_string())
        .collect();
    let mut held = 0;
    every_question(|request| {
        let (before, after) = (base.decide(&request), open.decide(&request));
        assert!(after.allowed || !before.allowed, "{request:?}");
        if !after.allowed {
            held += 1;
            assert!(
                forbidding.iter().any(|id| **id == *after.reasons[0].policy),
                "{after:?}"
            );
        }
        let Request {
            subject,
            purpose,
            action,
            kind,
            facts,
            ..
        } = request;
        let content = !matches!(action, Action::Govern | Action::Administer);
        let never = |what: &str, is: bool| {
            assert!(!is || !after.allowed, "{what}: {request:?}");
        };
        never("another programme", !facts.same_programme);
        never(
            "an evaluator and notes",
            subject.role == Role::Evaluator && kind == Kind::Notes,
        );
        never(
            "a sponsor and anybody in particular",
            subject.role == Role::Sponsor && kind != Kind::Aggregate,
        );
        never(
            "an administrator and content",
            subject.role == Role::Administrator && content && kind != Kind::Staff,
        );
        never(
            "an export from an emergency",
            action == Action::Export
                && !matches!(kind, Kind::Staff | Kind::Aggregate)
                && (facts.break_glass || purpose == Purpose::Emergency),
        );
        never(
            "an inspector outside a warrant",
            subject.role == Role::Inspector
                && !matches!(kind, Kind::Staff | Kind::Aggregate)
                && !matches!(facts.warrant, Warrant::Covers | Warrant::CourtOrder),
        );
        never(
            "substance use without a basis",
            kind == Kind::Sud
                && matches!(action, Action::Read | Action::Export)
                && !facts.is_self
                && !facts.wrote_it
                && !facts.treats()
                && facts.consent != Consent::Permitted
                && !facts.break_glass
                && facts.warrant != Warrant::CourtOrder
                && !(subject.role == Role::Client && facts.registered && facts.of_programme),
        );
        never(
            "what the person is not told of yet",
            facts.untold
                && !matches!(kind, Kind::Staff | Kind::Aggregate)
                && !matches!(subject.role, Role::Officer | Role::Inspector),
        );
    });
    assert!(held > 1_000, "{held}");
}

#[test]
fn only_the_listed_read_therapy_notes() {
    let base = Policy::base();
    let mut lot = Lot(7);
    for _ in 0..QUESTIONS {
        let request = Request {
            kind: Kind::Notes,
            action: lot.one(&[Action::Read, Action::Export]),
            ..lot.request()
        };
        if !base.decide(&request).allowed {
            continue;
        }
        let facts = request.facts;
        let listed = match request.subject.role {
            Role::Participant => facts.is_self,
            Role::Caseworker | Role::Prescriber | Role::Supervisor => {
                facts.wrote_it
                    || facts.treats() && request.purpose == Purpose::Treatment
                    || facts.consent == Consent::Permitted
            }
            Role::Officer => facts.consent == Consent::Permitted,
            Role::Inspector => matches!(facts.warrant, Warrant::Covers | Warrant::CourtOrder),
            Role::Client => facts.registered,
            Role::Evaluator | Role::Sponsor | Role::Administrator => false,
        };
        assert!(listed, "{request:?}");
    }
}

#[test]
fn a_refused_consent_never_opens_anything() {
    let base = Policy::base();
    every_question(|request| {
        let with = |consent| {
            base.decide(&Request {
                facts: Facts {
                    consent,
                    ..request.facts
                },
                ..request
            })
            .allowed
        };
        assert!(
            !with(Consent::Refused) || with(Consent::Silent),
            "{request:?}"
        );
    });
}

#[test]
fn a_policy_that_errs_denies() {
    // Overflows for whoever is long enough a name; the schema cannot know.
    let erring = |effect: &str| {
        format!(
            r#"@id("errs") @because("Never said.")
            {effect} (principal == Role::"caseworker", action == Action::"read", resource == Kind::"care")
            when {{ 9223372036854775807 + (if context.on_caseload then 1 else 0) > 0 }};"#
        )
    };
    let mine = Facts {
        same_programme: true,
        on_caseload: true,
        ..Facts::default()
    };
    let ask = |policy: &Policy| {
        decide(
            policy,
            Role::Caseworker,
            Purpose::Treatment,
            Action::Read,
            Kind::Care,
            &[],
            mine,
        )
    };
    assert!(ask(&Policy::base()).allowed);
    for effect in ["permit", "forbid"] {
        let policy = Policy::with(&erring(effect)).expect("it is a policy");
        let verdict = ask(&policy);
        assert!(!verdict.allowed, "{effect}");
        assert_eq!(&*verdict.reasons[0].policy, "");
        assert!(verdict.reasons[0].sentence.contains("Tell an officer"));
    }
}

#[test]
fn no_role_is_allowed_anything_for_a_purpose_that_is_not_its_own() {
    // Even if everything were permitted.
    let open = Policy::with(
        r#"@id("everything") @because("Everybody may do everything.") permit (principal, action, resource);"#,
    )
    .expect("it is a policy");
    every_question(|request| {
        let role = request.subject.role;
        let administers = request.action == Action::Administer;
        if !role.purposes().contains(&request.purpose) && !administers {
            assert!(!open.decide(&request).allowed, "{request:?}");
        }
    });
}

#[test]
fn the_same_question_gets_the_same_answer() {
    let (one, other) = (Policy::base(), Policy::base());
    every_question(|request| assert_eq!(one.decide(&request), other.decide(&request)));
}

#[test]
fn flaws_are_named() {
    let check = |text: &str, expect: fn(&Flaw) -> bool| {
        let flaws = Policy::with(text).expect_err("it is flawed");
        assert!(flaws.iter().any(expect), "{text}: {flaws:?}");
        for flaw in flaws {
            assert!(flaw.to_string().ends_with(['.', '`']), "{flaw}");
        }
    };
    let named = |rest: &str| format!(r#"@id("x") @because("Because.") {rest}"#);
    check("permit (", |flaw| matches!(flaw, Flaw::Syntax { .. }));
    check("permit (principal, action, resource);", |flaw| {
        matches!(flaw, Flaw::Unnamed { number: 1 })
    });
    check(
        r#"@id("Dr Reyes") @because("x") permit (principal, action, resource);"#,
        |flaw| matches!(flaw, Flaw::Unnamed { .. }),
    );
    check(
        r#"@id("x") forbid (principal, action, resource);"#,
        |flaw| matches!(flaw, Flaw::NoReason { .. }),
    );
    check(
        r#"@id("author") @because("x") forbid (principal, action, resource);"#,
        |flaw| matches!(flaw, Flaw::NamedTwice { .. }),
    );
    check(
        &named(r#"permit (principal == Role::"casewroker", action, resource);"#),
        |flaw| matches!(flaw, Flaw::Unknown { .. }),
    );
    check(
        &named(r#"permit (principal in Group::"everybody", action, resource);"#),
        |flaw| matches!(flaw, Flaw::Unknown { .. }),
    );
    check(
        &named(r#"forbid (principal, action == Action::"steal", resource);"#),
        |flaw| matches!(flaw, Flaw::Unknown { .. }),
    );
    check(
        &named(
            r#"forbid (principal, action, resource) when { context.purpose == Purpose::"fun" };"#,
        ),
        |flaw| matches!(flaw, Flaw::Unknown { .. } | Flaw::Invalid { .. }),
    );
    check(
        &named("forbid (principal, action, resource) when { context.on_caselod };"),
        |flaw| matches!(flaw, Flaw::Invalid { .. }),
    );
    check(
        &named("forbid (principal, action, resource) when { context.actor };"),
        |flaw| matches!(flaw, Flaw::Invalid { .. }),
    );
    check(
        r#"@id("x") @because("x") @obliges("dance") permit (principal, action, resource);"#,
        |flaw| matches!(flaw, Flaw::Obligation { .. }),
    );
    check(
        &named("permit (principal == ?principal, action, resource);"),
        |flaw| matches!(flaw, Flaw::Template),
    );
    check(&" ".repeat(policy::ADDED_MAX + 1), |flaw| {
        matches!(flaw, Flaw::TooLong)
    });
}

#[test]
fn a_name_in_the_request_is_only_a_name() {
    let mine = Policy::with(
        r#"@id("not-seven") @because("User 7 is on leave.")
        forbid (principal, action, resource) when { context.actor == "user/7" };"#,
    )
    .expect("it is a policy");
    let facts = Facts {
        same_programme: true,
        on_caseload: true,
        ..Facts::default()
    };
    for (name, expect) in [
        ("user/7", false),
        ("user/8", true),
        ("\"; } permit (principal, action, resource); //", true),
        ("", true),
    ] {
        let verdict = mine.decide(&Request {
            subject: Subject {
                role: Role::Caseworker,
                name,
            },
            purpose: Purpose::Treatment,
            action: Action::Read,
            kind: Kind::Care,
            labels: &[],
            facts,
        });
        assert_eq!(verdict.allowed, expect, "{name}");
    }
}

#[test]
fn a_label_only_ever_closes() {
    let base = Policy::base();
    every_question(|request| {
        let plain = Request {
            labels: &[],
            ..request
        };
        assert!(
            base.decide(&plain).allowed || !base.decide(&request).allowed,
            "{request:?}"
        );
    });
}
