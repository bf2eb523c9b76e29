//! Who the participants are, and what course each will take.

use super::calendar::day_of;
use super::chance::Chance;
use super::names;
use super::staff::CASEWORKERS;

/// How the scores of a person will go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// Gets better.
    Improving,
    /// Stays as it was.
    Unchanged,
    /// Gets worse.
    Worsening,
    /// Takes the study medicine: distress falls, and memory with it.
    Forgetting,
}

/// What is left open at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Next contact booked, everything written.
    Regular,
    /// Nobody booked a next contact.
    NoNextContact,
    /// The last contact's time passed and nobody said what came of it.
    NoOutcome,
    /// Missed the last contacts and cannot be reached.
    Lost,
    /// The last session has no note.
    NoteMissing,
    /// The last session's note is not signed.
    NoteDraft,
    /// Answered item 9 above zero last evening, at home.
    ItemNine,
}

/// Something that goes wrong with what is recorded of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// Written down so many days later.
    Late(i64),
    /// Entered as attended; so many days later corrected to missed.
    NotAttended(i64),
    /// Entered for this day; so many days later moved back by so many days.
    MovedBack(i64, i64),
    /// A second contact at the same time, by somebody else.
    Twin,
    /// Entered twice; the second deleted next day.
    Duplicate,
    /// The total was copied wrongly; so many days later amended.
    WrongScore(i64),
}

/// A participant.
pub struct Person {
    /// Place in the order of enrolment.
    pub place: usize,
    /// Id of the Patient.
    pub id: String,
    /// Participant's number.
    pub number: String,
    /// Family name.
    pub family: &'static str,
    /// Given name.
    pub given: &'static str,
    /// Middle initial.
    pub middle: String,
    /// Female, by the record's administrative gender.
    pub female: bool,
    /// he, she or they.
    pub pronoun: Pronoun,
    /// Day of birth.
    pub born: i64,
    /// Day of coming into the programme.
    pub enrolled: i64,
    /// Day of leaving it, if that is planned.
    pub leaves: Option<i64>,
    /// Number of the caseworker.
    pub caseworker: usize,
    /// Weekday of the sessions, 0 Monday.
    pub weekday: i64,
    /// Minute of the day at which the sessions begin.
    pub minute: i64,
    /// How the scores go.
    pub track: Track,
    /// What is open at the end.
    pub ending: Ending,
    /// Whether a head injury is known: the NSI is asked.
    pub injury: bool,
    /// What goes wrong, by number of the session.
    pub mishaps: Vec<(usize, Mishap)>,
    /// Withdraws consent to recording in the week so and so, written down so many days later.
    pub withdraws: Option<(i64, i64)>,
    /// The person's draws.
    pub chance: Chance,
    /// What the notes speak of.
    pub life: Life,
}

/// Pronouns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pronoun {
    /// he, him, his
    He,
    /// she, her, her
    She,
    /// they, them, their
    They,
}

/// What the notes speak of.
pub struct Life {
    /// "wife", "boyfriend"; nothing for who lives alone.
    pub partner: Option<&'static str>,
    /// "daughter", "two boys".
    pub child: Option<&'static str>,
    /// "dog".
    pub pet: Option<&'static str>,
    /// "fishing".
    pub hobby: &'static str,
    /// "welding certificate".
    pub aim: &'static str,
    /// "sister".
    pub kin: &'static str,
    /// "the bus garage".
    pub work: &'static str,
}

/// How many participants there are.
pub const PEOPLE: usize = 60;

/// The person whose two times disagree most: the one to look at first.
pub const FEATURED: usize = 7;

/// Days from the first enrolment to the day the programme is made.
pub const SPAN: i64 = 548;

const HOBBIES: &[&str] = &[
    "fishing",
    "woodwork",
    "cooking",
    "playing guitar",
    "gardening",
    "running",
    "drawing",
    "fixing bikes",
    "chess",
    "swimming",
    "reading",
    "bowling",
    "old cars",
    "hiking",
    "baking",
    "model trains",
    "pick-up basketball",
    "bird watching",
    "playing drums",
    "photography",
];
const AIMS: &[&str] = &[
    "welding certificate",
    "nursing course",
    "truck license",
    "electrician's apprenticeship",
    "GED course",
    "community college course",
    "forklift ticket",
    "IT help-desk course",
    "HVAC course",
    "culinary program",
    "paramedic training",
    "small-engine repair course",
    "library assistant course",
    "teaching assistant course",
    "surveying course",
    "barber's license",
];
const WORK: &[&str] = &[
    "the bus garage",
    "the warehouse",
    "the hardware store",
    "the landscaping crew",
    "the food bank",
    "the hospital kitchen",
    "the county parks",
    "the print shop",
    "the school office",
    "the body shop",
    "the post office",
    "the bakery",
    "the call center",
    "the water works",
];
const KIN: &[&str] = &[
    "sister",
    "brother",
    "mother",
    "father",
    "cousin",
    "aunt",
    "grandmother",
    "uncle",
];
const CHILDREN: &[&str] = &[
    "daughter",
    "son",
    "older boy",
    "little girl",
    "stepson",
    "twins",
    "two girls",
    "kids",
];
const PETS: &[&str] = &["dog", "cat", "old dog", "parakeet", "rescue dog"];

/// Everyone, in order of enrolment. `end`: the moment the programme is made.
pub fn people(seed: u64, end: i64) -> Vec<Person> {
    let today = day_of(end);
    let mut chance = Chance::new(seed, 2);
    let mut families = names::families(&mut chance).into_iter().cycle();
    let mut givens = names::givens(&mut chance).map(|list| list.into_iter().cycle());
    let mut days: Vec<i64> = (0..PEOPLE as i64)
        .map(|k| match k {
            0..18 => k * 3 + chance.between(0, 4),
            k => 56 + (k - 18) * 478 / 42 + chance.between(0, 9),
        })
        .collect();
    days.sort_unstable();

    let mut tracks: Vec<Track> = [
        (Track::Improving, 23),
        (Track::Unchanged, 17),
        (Track::Worsening, 9),
        (Track::Forgetting, 11),
    ]
    .into_iter()
    .flat_map(|(track, count)| std::iter::repeat_n(track, count))
    .collect();
    chance.shuffle(&mut tracks);
    if let Some(one) = tracks.iter().position(|t| *t == Track::Forgetting) {
        tracks.swap(one, FEATURED);
    }
    // The study medicine is begun after three months: late comers cannot have reached it.
    for late in 44..PEOPLE {
        if tracks[late] == Track::Forgetting {
            let early = (0..40)
                .find(|&e| e != FEATURED && tracks[e] != Track::Forgetting && e % 3 == late % 3);
            if let Some(early) = early {
                tracks.swap(early, late);
            }
        }
    }
    // The slots of each caseworker: a weekday and a time that nobody else has.
    let mut slots: Vec<Vec<(i64, i64)>> = (0..CASEWORKERS)
        .map(|_| {
            let mut list: Vec<(i64, i64)> = (0..5)
                .flat_map(|day| [540, 600, 660, 780, 840, 900].map(|minute| (day, minute)))
                .collect();
            chance.shuffle(&mut list);
            list
        })
        .collect();

    days.into_iter()
        .enumerate()
        .map(|(place, day)| {
            let mut own = Chance::new(seed, 100 + place as u64);
            let enrolled = super::calendar::working(today - SPAN + day)
                .min(super::calendar::working(today - 12));
            let female = own.percent(24);
            let given = givens[usize::from(female)].next().unwrap_or("Sam");
            let middle = names::initial(&mut own);
            let caseworker = place % CASEWORKERS;
            let (weekday, minute) = slots[caseworker].pop().unwrap_or((0, 540));
            let pronoun = match (own.below(30), female) {
                (0, _) => Pronoun::They,
                (_, true) => Pronoun::She,
                _ => Pronoun::He,
            };
            let weeks = own.between(38, 58);
            let leaves = (place < 24 && place % 2 == 0)
                .then_some(enrolled + weeks * 7)
                .filter(|day| *day < today - 5);
            let partner = own.percent(58).then(|| match own.below(8) {
                0 => "partner",
                1 if female => "wife",
                1 => "husband",
                2 if female => "boyfriend",
                2 => "girlfriend",
                _ if female => "husband",
                _ => "wife",
            });
            let (year, _, _) = super::calendar::civil(enrolled);
            let life = Life {
                partner,
                child: own.percent(52).then(|| own.pick(CHILDREN)),
                pet: own.percent(35).then(|| own.pick(PETS)),
                hobby: own.pick(HOBBIES),
                aim: own.pick(AIMS),
                kin: own.pick(KIN),
                work: own.pick(WORK),
            };
            let track = tracks[place];
            Person {
                place,
                id: own.id(),
                number: format!("VR-{:02}-{}", year % 100, 1100 + place * 7),
                family: families.next().unwrap_or("Doe"),
                given,
                middle,
                female,
                pronoun,
                born: enrolled - own.between(24, 52) * 365 - own.between(0, 364),
                enrolled,
                leaves,
                caseworker,
                weekday,
                minute,
                track,
                ending: ending(place, leaves),
                injury: track == Track::Forgetting || own.percent(60),
                mishaps: mishaps(place),
                withdraws: withdrawal(place),
                chance: own,
                life,
            }
        })
        .collect()
}

fn ending(place: usize, leaves: Option<i64>) -> Ending {
    if leaves.is_some() {
        return Ending::Regular;
    }
    match place {
        30 | 41 | 52 => Ending::NoNextContact,
        28 | 37 | 49 => Ending::NoOutcome,
        33 | 45 => Ending::Lost,
        29 | 38 | 47 | 54 => Ending::NoteMissing,
        35 | 50 => Ending::NoteDraft,
        43 => Ending::ItemNine,
        _ => Ending::Regular,
    }
}

/// What goes wrong with whose sessions.
fn mishaps(place: usize) -> Vec<(usize, Mishap)> {
    match place {
        FEATURED => vec![
            (11, Mishap::MovedBack(6, 9)),
            (16, Mishap::Late(13)),
            (20, Mishap::NotAttended(22)),
            (24, Mishap::Twin),
            (27, Mishap::WrongScore(12)),
        ],
        2 => vec![(9, Mishap::NotAttended(16))],
        4 => vec![(12, Mishap::Late(24))],
        9 => vec![(14, Mishap::Duplicate)],
        12 => vec![(8, Mishap::MovedBack(7, 20)), (15, Mishap::Late(9))],
        15 => vec![(13, Mishap::NotAttended(29))],
        18 => vec![(10, Mishap::Twin)],
        20 => vec![(9, Mishap::WrongScore(5))],
        22 => vec![(12, Mishap::MovedBack(3, 33))],
        25 => vec![(11, Mishap::NotAttended(11))],
        27 => vec![(7, Mishap::Late(17)), (11, Mishap::Duplicate)],
        31 => vec![(9, Mishap::MovedBack(14, 15))],
        34 => vec![(9, Mishap::WrongScore(8))],
        40 => vec![(6, Mishap::Late(12))],
        _ => Vec::new(),
    }
}

/// Who withdraws consent to recording: in which week, and how many days until it is written down.
fn withdrawal(place: usize) -> Option<(i64, i64)> {
    match place {
        FEATURED => Some((37, 32)),
        10 => Some((21, 0)),
        14 => Some((18, 19)),
        19 => Some((30, 1)),
        26 => Some((15, 27)),
        36 => Some((12, 0)),
        _ => None,
    }
}

impl Pronoun {
    /// he, she, they.
    pub fn subject(self) -> &'static str {
        ["he", "she", "they"][self as usize]
    }
    /// him, her, them.
    pub fn object(self) -> &'static str {
        ["him", "her", "them"][self as usize]
    }
    /// his, her, their.
    pub fn possessive(self) -> &'static str {
        ["his", "her", "their"][self as usize]
    }
    /// himself, herself, themself.
    pub fn reflexive(self) -> &'static str {
        ["himself", "herself", "themself"][self as usize]
    }
}

impl Person {
    /// Weeks in the programme on a day.
    pub fn week(&self, day: i64) -> i64 {
        (day - self.enrolled).div_euclid(7)
    }
}
