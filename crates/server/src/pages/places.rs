//! Where a role leads: the pages in the navigation, the first one first.

use policy::Role;

use crate::permit::Who;
use crate::web::layout::{Place, Way};
use crate::web::path;

/// The ways of somebody.
pub(super) fn of(who: &Who) -> Vec<Way> {
    let way = |place, address: &str, words| Way {
        place,
        address: address.to_owned(),
        words,
    };
    let record = way(Place::Record, path::RECORD, "This record");
    let cover = way(Place::Cover, path::COVER, "Cover");
    let opened = way(Place::Opened, path::BREAK_GLASS, "Opened records");
    let figures = way(Place::Figures, path::FIGURES, "Figures");
    match who.role {
        Role::Participant => match &who.patient {
            Some(id) => vec![
                way(Place::Elsewhere, path::ME, "My record"),
                way(Place::Elsewhere, &path::consents(id), "What I decide"),
                way(Place::Access, &path::person_access(id), "Who looked"),
                record,
            ],
            None => vec![record],
        },
        Role::Caseworker | Role::Prescriber => vec![
            way(Place::Caseload, path::CASELOAD, "Caseload"),
            way(Place::Find, path::FIND, "Find"),
            cover,
            record,
        ],
        Role::Supervisor => vec![
            way(Place::Caseload, path::CASELOAD, "Caseload"),
            way(Place::Find, path::FIND, "Find"),
            cover,
            opened,
            record,
            way(Place::Access, path::ACCESS, "Who looked"),
            figures,
        ],
        Role::Officer => vec![
            way(Place::Caseload, path::CASELOAD, "People"),
            way(Place::Find, path::FIND, "Find"),
            record,
            way(Place::Access, path::ACCESS, "Who looked"),
            way(Place::Erasures, path::ERASURES, "Erasures"),
            way(Place::Apps, path::APPS, "Apps"),
            way(Place::Users, path::USERS, "Users"),
            way(Place::Warrants, path::WARRANTS, "Warrants"),
            opened,
            figures,
        ],
        Role::Inspector => vec![
            way(Place::Warrants, path::INSPECTION, "Your warrants"),
            way(Place::Find, path::FIND, "Find"),
            record,
        ],
        Role::Evaluator => vec![way(Place::Caseload, path::CASELOAD, "People"), record],
        Role::Administrator => vec![record, way(Place::Users, path::USERS, "Users")],
        Role::Sponsor => vec![figures, record],
        Role::Client => vec![record],
    }
}
