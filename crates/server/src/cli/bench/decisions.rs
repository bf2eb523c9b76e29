//! `homecoming bench policy`: how long a decision takes, the first time and after.

use policy::truth::situations;
use policy::{Action, Kind, Policy, Request, Role, Subject};
use serde_json::json;

use super::{Sheet, Stop, round};
use crate::clock::Stopwatch;

/// What `homecoming bench policy` takes.
#[derive(clap::Args)]
pub struct Args {
    /// How often each question is asked after the first time
    #[arg(long, default_value_t = 200)]
    turns: u32,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

/// Measures the base policy.
pub fn run(args: &Args) -> Result<(), Stop> {
    let mut sheet = Sheet::new(args.json);
    let watch = Stopwatch::start();
    let policy = Policy::base();
    sheet.put(
        "reading the base policy, ms",
        round(watch.seconds() * 1e3, 1),
    );
    sheet.put("policies", json!(policy.policies().len()));
    let situations = situations();
    let questions: Vec<Request<'_>> = Role::ALL
        .iter()
        .flat_map(|role| role.purposes().iter().map(move |purpose| (*role, *purpose)))
        .flat_map(|(role, purpose)| {
            let kinds = [Kind::Identity, Kind::Schedule, Kind::Care, Kind::Notes];
            kinds.map(|kind| (role, purpose, kind))
        })
        .flat_map(|(role, purpose, kind)| {
            situations.iter().map(move |situation| Request {
                subject: Subject {
                    role,
                    name: "user/7",
                },
                purpose,
                action: Action::Read,
                kind,
                labels: &[],
                facts: situation.facts,
            })
        })
        .collect();
    sheet.put("questions", json!(questions.len()));
    for (name, turns) in [("the first time", 1), ("again", args.turns.max(1))] {
        let watch = Stopwatch::start();
        let mut allowed = 0u64;
        for _ in 0..turns {
            for question in &questions {
                allowed += u64::from(policy.decide(question).allowed);
            }
        }
        let decisions = f64::from(turns) * questions.len() as f64;
        let us = watch.seconds() * 1e6 / decisions;
        sheet.put(
            name,
            json!({
                "us": round(us, 2),
                "decisions per s": round(1e6 / us, 0),
                "allowed": allowed / u64::from(turns),
            }),
        );
    }
    if args.json {
        say!("{}", serde_json::Value::Object(sheet.figures));
    }
    Ok(())
}
