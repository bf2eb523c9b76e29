//! `GET /metrics`: how the logs and their witnesses do, as Prometheus reads it. No personal data, no names
//! but those of logs and witnesses.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use ledger::witnessed::LogName;

use crate::cosigning::Status;
use crate::error::Error;
use crate::fhir::{Api, away};
use crate::release;

/// The address.
pub fn routes(api: Api) -> Router {
    Router::new().route("/metrics", get(answer)).with_state(api)
}

async fn answer(State(api): State<Api>) -> Result<Response, Error> {
    let text = away(move || {
        let programme = api.programme();
        let cosigning = programme.cosigning();
        Ok(text(
            &cosigning.status()?,
            cosigning.refusal().is_some(),
            programme.commits(),
            programme.clock().now().0,
        ))
    })
    .await?;
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(release::nothing(
        response,
        "sizes and times of logs, of nobody",
    ))
}

/// One measure: name, meaning, and its values by labels.
fn measure(out: &mut String, name: &str, help: &str, values: &[(String, String)]) {
    if values.is_empty() {
        return;
    }
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in values {
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}

fn text(logs: &[Status], is_refusing: bool, commits: u64, now_us: i64) -> String {
    let mut out = String::new();
    let of_logs = |value: &dyn Fn(&Status) -> Option<String>| -> Vec<(String, String)> {
        logs.iter()
            .filter_map(|log| Some((format!("{{log=\"{}\"}}", word(log.name)), value(log)?)))
            .collect()
    };
    let seconds = |us: i64| format!("{:.1}", (now_us - us) as f64 / 1e6);
    measure(
        &mut out,
        "homecoming_log_entries",
        "Entries of a log.",
        &of_logs(&|log| Some(log.size.to_string())),
    );
    measure(
        &mut out,
        "homecoming_log_cosigned_entries",
        "Entries of a log that a quorum of witnesses has cosigned.",
        &of_logs(&|log| Some(log.cosigned.as_ref().map_or(0, |one| one.size).to_string())),
    );
    measure(
        &mut out,
        "homecoming_log_cosigned_behind_entries",
        "Entries of a log that no quorum of witnesses has cosigned yet.",
        &of_logs(&|log| Some(log.behind().to_string())),
    );
    measure(
        &mut out,
        "homecoming_log_cosigned_age_seconds",
        "Time since a quorum of witnesses last cosigned a log.",
        &of_logs(&|log| Some(seconds(log.cosigned.as_ref()?.at_us))),
    );
    let mut up = Vec::new();
    let mut skew = Vec::new();
    let mut cosigned = Vec::new();
    for log in logs {
        for witness in &log.witnesses {
            let labels = format!(
                "{{log=\"{}\",witness=\"{}\"}}",
                word(log.name),
                escaped(&witness.name)
            );
            let is_up = witness.failure.is_none() && witness.size.is_some();
            up.push((labels.clone(), u8::from(is_up).to_string()));
            if let Some(seconds) = witness.skew_s {
                skew.push((labels.clone(), seconds.to_string()));
            }
            if let Some(size) = witness.size {
                cosigned.push((labels, size.to_string()));
            }
        }
    }
    measure(
        &mut out,
        "homecoming_witness_up",
        "Whether a witness cosigned when it was last asked.",
        &up,
    );
    measure(
        &mut out,
        "homecoming_witness_cosigned_entries",
        "Entries that a witness cosigned since this server started.",
        &cosigned,
    );
    measure(
        &mut out,
        "homecoming_witness_clock_ahead_seconds",
        "How far a witness's clock was ahead of this server's when it last cosigned.",
        &skew,
    );
    measure(
        &mut out,
        "homecoming_writes_refused",
        "1 while nothing is recorded because of what the witnesses say.",
        &[(String::new(), u8::from(is_refusing).to_string())],
    );
    measure(
        &mut out,
        "homecoming_commits",
        "Groups of transactions that were committed since the start, one flush to the disk each.",
        &[(String::new(), commits.to_string())],
    );
    out
}

fn word(name: LogName) -> &'static str {
    match name {
        LogName::Record => "record",
        LogName::Access => "access",
    }
}

fn escaped(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .flat_map(|c| match c {
            '"' | '\\' => vec!['\\', c],
            c => vec![c],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ledger::witnessed::Cosigned;

    use super::*;
    use crate::cosigning::WitnessState;

    #[test]
    fn what_is_measured_can_be_read_by_prometheus() {
        let status = Status {
            name: LogName::Record,
            size: 120,
            cosigned: Some(Cosigned {
                size: 100,
                note: String::new(),
                at_us: 1_000_000,
            }),
            witnesses: vec![WitnessState {
                name: "a\"b".to_owned(),
                size: Some(100),
                at_us: Some(1_000_000),
                skew_s: Some(-3),
                failure: Some("it cannot be reached".to_owned()),
            }],
        };
        let text = text(&[status], false, 7, 3_500_000);
        for line in [
            "homecoming_log_entries{log=\"record\"} 120",
            "homecoming_log_cosigned_behind_entries{log=\"record\"} 20",
            "homecoming_log_cosigned_age_seconds{log=\"record\"} 2.5",
            "homecoming_witness_up{log=\"record\",witness=\"a\\\"b\"} 0",
            "homecoming_witness_clock_ahead_seconds{log=\"record\",witness=\"a\\\"b\"} -3",
            "homecoming_writes_refused 0",
            "homecoming_commits 7",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }
}
