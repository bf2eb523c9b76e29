//! `homecoming warrant` and `homecoming delegation`: what is in force, without a server, for whoever runs
//! the machine and for scripts. Entering and revoking is done on the pages, by those whom it is
//! the business of, with their own sign-in.

use casework::delegation::Whose;
use casework::warrant::{Notice, Persons};
use clap::Subcommand;
use record::time::RecordedAt;
use serde_json::{Value as Json, json};

use super::passphrase::Passphrase;
use super::{Data, Stop, serve};
use crate::error::Error;
use crate::pages::warrants::{about, name, stands};
use crate::programme::{AsOf, Programme};
use crate::warrant::{self, Found, notice};
use crate::{break_glass, delegation};

/// Where the programme is.
#[derive(clap::Args)]
struct At {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    passphrase: Passphrase,
    /// For scripts
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub struct WarrantArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// All warrants, with where they stand
    List {
        #[command(flatten)]
        at: At,
    },
    /// One warrant: what it opens, and whether the persons were told
    Show {
        #[command(flatten)]
        at: At,
        /// The warrant
        id: String,
    },
    /// Records that were opened by breaking the glass, with their reviews
    Opened {
        #[command(flatten)]
        at: At,
    },
}

#[derive(clap::Args)]
pub struct DelegationArgs {
    #[command(subcommand)]
    what: DelegationWhat,
}

#[derive(Subcommand)]
enum DelegationWhat {
    /// Who covers for whom
    List {
        #[command(flatten)]
        at: At,
    },
}

pub fn run(args: &WarrantArgs) -> Result<(), Stop> {
    match &args.what {
        What::List { at } => list(at),
        What::Show { at, id } => show(at, id),
        What::Opened { at } => opened(at),
    }
}

pub fn delegations(args: &DelegationArgs) -> Result<(), Stop> {
    let DelegationWhat::List { at } = &args.what;
    let programme = open(at)?;
    let now = programme.clock().now().0;
    let all = delegation::all(&programme.view(AsOf::Now))?;
    if at.json {
        let all = all.iter().map(|found| {
            let cover = &found.delegation.cover;
            json!({
                "id": found.id,
                "owner": cover.owner,
                "delegate": cover.delegate,
                "persons": match &cover.whose {
                    Whose::All => Json::Null,
                    Whose::Named(named) => json!(named),
                },
                "from": instant(cover.from),
                "until": instant(found.delegation.end()),
                "in_force": found.delegation.stage(now) == casework::delegation::Stage::InForce,
            })
        });
        say!("{}", Json::Array(all.collect()));
        return Ok(());
    }
    for found in &all {
        let cover = &found.delegation.cover;
        say!(
            "{}\t{} covers for {}\t{} to {}\t{:?}",
            found.id,
            name(&programme, &cover.delegate),
            name(&programme, &cover.owner),
            instant(cover.from),
            instant(found.delegation.end()),
            found.delegation.stage(now)
        );
    }
    Ok(())
}

fn list(at: &At) -> Result<(), Stop> {
    let programme = open(at)?;
    let all = warrant::all(&programme.view(AsOf::Now))?;
    say_all(&programme, at, &all)
}

fn show(at: &At, id: &str) -> Result<(), Stop> {
    let programme = open(at)?;
    let found = warrant::find(&programme.view(AsOf::Now), id)?.ok_or_else(|| {
        Stop::WrongUse(format!(
            "the record has no warrant {id}; `homecoming warrant list` shows all of them"
        ))
    })?;
    say_all(&programme, at, std::slice::from_ref(&found))
}

/// Says them; a step that breaks the rules is a finding.
fn say_all(programme: &Programme, at: &At, all: &[Found]) -> Result<(), Stop> {
    let now = programme.clock().now().0;
    if at.json {
        let all = all.iter().map(|found| as_json(programme, found, now));
        say!("{}", Json::Array(all.collect::<Result<_, Error>>()?));
    }
    for found in all.iter().filter(|_| !at.json) {
        let order = &found.warrant.order;
        say!(
            "{}\t{}\t{}\tfor {}, about {}\t{}",
            found.id,
            order.number,
            order.issuer,
            name(programme, &order.inspector),
            about(&order.persons),
            stands(&found.warrant, now)
        );
        let kinds: Vec<&str> = order.kinds.iter().map(|kind| kind.code()).collect();
        say!("\topens {}", kinds.join(", "));
        let untold = untold(programme, found)?;
        if untold > 0 {
            let due = found.warrant.notice_due();
            say!("\t{untold} not told yet, due {}", instant(due));
        }
        for unlawful in &found.unlawful {
            say!("\tUNLAWFUL: {unlawful}");
        }
    }
    match all.iter().any(|found| !found.unlawful.is_empty()) {
        true => Err(Stop::Finding),
        false => Ok(()),
    }
}

fn as_json(programme: &Programme, found: &Found, now: i64) -> Result<Json, Error> {
    let order = &found.warrant.order;
    Ok(json!({
        "id": found.id,
        "number": order.number,
        "issuer": order.issuer,
        "court": order.court,
        "inspector": order.inspector,
        "persons": match &order.persons {
            Persons::All => Json::Null,
            Persons::Named(named) => json!(named),
        },
        "kinds": order.kinds.iter().map(|kind| kind.code()).collect::<Vec<_>>(),
        "from": instant(order.from),
        "until": instant(found.warrant.end()),
        "in_force": found.warrant.stage(now) == casework::warrant::Stage::InForce,
        "revoked": found.warrant.revoked.is_some(),
        "notice": order.notice.code(),
        "notice_at": match &order.notice {
            Notice::At { instant: at, .. } => json!(instant(*at)),
            _ => Json::Null,
        },
        "notice_due": instant(found.warrant.notice_due()),
        "not_told": untold(programme, found)?,
        "paper_sha256": order.paper,
        "unlawful": found.unlawful.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }))
}

/// How many of those whom a warrant is about have no notice on the record.
fn untold(programme: &Programme, found: &Found) -> Result<usize, Error> {
    let view = programme.view(AsOf::Now);
    Ok(notice::untold(&view, &found.id, &found.warrant, usize::MAX)?.len())
}

fn opened(at: &At) -> Result<(), Stop> {
    let programme = open(at)?;
    let now = programme.clock().now().0;
    let all = break_glass::all(&programme.view(AsOf::Now), None)?;
    if at.json {
        let all = all.iter().map(|found| {
            let broken = &found.broken;
            json!({
                "id": found.id,
                "reader": broken.reader,
                "person": broken.opening.person,
                "need": broken.opening.need.code(),
                "from": instant(broken.from),
                "until": instant(broken.end()),
                "review_due": instant(broken.review_due()),
                "review": broken.review.as_ref().map(|review| review.outcome.code()),
                "overdue": broken.is_overdue(now),
            })
        });
        say!("{}", Json::Array(all.collect()));
        return Ok(());
    }
    for found in &all {
        let broken = &found.broken;
        let review = match &broken.review {
            Some(review) => review.outcome.words().to_owned(),
            None if broken.is_overdue(now) => "review overdue".to_owned(),
            None => format!("review due {}", instant(broken.review_due())),
        };
        say!(
            "{}\t{}\t{} to {}\t{review}",
            found.id,
            name(&programme, &broken.reader),
            instant(broken.from),
            instant(broken.end())
        );
    }
    Ok(())
}

fn open(at: &At) -> Result<Programme, Stop> {
    serve::open(&at.data.data, &at.passphrase)
}

fn instant(micros: i64) -> String {
    RecordedAt(micros).to_string()
}
