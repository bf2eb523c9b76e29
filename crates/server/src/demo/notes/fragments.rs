//! The fragments: `{slots}` and `{this|that}` choices, see [`super::Notes`]. The verb after
//! `{they}` is written as for he and she.

/// Something to talk about, in which stages, and what may be written of it.
pub struct Topic {
    /// For the title of the note.
    pub name: &'static str,
    /// 0 intake, 1 goal work, 2 vocational, 3 discharge plan.
    pub stages: &'static [usize],
    /// What was said.
    pub lines: &'static [&'static str],
}

/// How the person came in.
pub static CAME: &[&str] = &[
    "Came {early|on time|ten minutes late} and took the chair by the {door|window}.",
    "{they} came in {quiet|tired|in good spirits|out of breath} and asked for {water|coffee|a minute} first.",
    "Met in the {small room|corner office|garden room}. {they} kept {their} jacket on {for the first half|to the end|until the coffee came}.",
    "Walked {once|twice} around the block together before sitting down.",
    "Said at the door that it had been a {long|hard|fair|good} week.",
    "Began with the {weather|parking|bus|traffic}, then went straight to what was on {their} mind.",
    "{they} brought the {sleep diary|notebook|letter|worksheet} and had filled in {3-6} days of it.",
    "Arrived with {their} {partner}, who waited outside and left after {five|ten} minutes.",
    "Talked about {hobby} for a while. It helped to settle.",
    "Looked {rested|worn out|pale|brighter than last time}. Said so {self}.",
    "Asked how long we had today, and to know when there were ten minutes left.",
    "{they} wanted to talk about {one thing|two things} only, and said so at the start.",
    "Showed me a picture of {their} {pet} on the phone. {they} laughed, the first time in {2-5} sessions.",
    "Checked in: {4-9} out of ten for the week, {3-7} for today.",
    "Sat in silence for some minutes. I did not fill it.",
    "{they} had {walked|driven|taken the bus} here alone, which {they} {had not done since spring|did not expect to manage|called nothing special}.",
    "The door had to stay open today. That was fine.",
    "Came straight from {work}, still in work clothes.",
    "Said the reminder message {helped|came too early|had gone to the old number}.",
    "We started late because of the {form|phone|front desk}, and added the time at the end.",
];

/// Sleep by tide: better, same, worse.
pub static SLEEP: [&[&str]; 3] = [
    &[
        "Slept {4-6} nights of seven without getting up.",
        "{they} fell asleep before midnight {3-6} times this week.",
        "Nightmares down to {one|two} this week. {they} wrote {it|them} down and went back to bed.",
        "Sleeping in the bedroom again for {2-6} nights now.",
        "Woke at {3-5} as usual, but got back to sleep most days.",
        "{they} said that mornings felt {shorter|easier|almost normal}.",
        "Moved the bed away from the window and sleeps the better for it.",
        "{their} {partner} told {them} that the nights have been calmer.",
        "No naps this week. Nights were longer for it.",
    ],
    &[
        "Sleep is as it was: {4-6} hours, broken {2-4} times.",
        "{2-4} bad nights, {3-4} fair ones.",
        "{they} still checks the locks {2-4} times before bed.",
        "Slept on the couch again most of the week, with the TV on.",
        "Woke around {2-4} on {day} and stayed up.",
        "The dream about the {road|gate|heat} came {once|twice}. No details wanted, none asked.",
        "Nights depended on the day before, {they} said. {day} was the worst.",
        "Tried the breathing before bed on {2-5} nights. Helped on {one|two}.",
        "Goes to bed late to be tired enough.",
    ],
    &[
        "Sleep is worse: {2-4} hours a night, by {their} own count.",
        "{they} had {3-5} nights this week with hardly any sleep.",
        "Up from {one|two} o'clock on most nights. Sat in the kitchen.",
        "Nightmares every night since {day}. Would rather not say of what.",
        "{their} {partner} sleeps in the other room now. It weighs on both.",
        "Stopped the sleep diary because it made {them} count.",
        "Too tired to drive on {day}, and did not.",
        "Afraid of the nights again, as in the first weeks.",
    ],
];

/// Where things stand: better, same, worse.
pub static TRACKS: [&[&str]; 3] = [
    &[
        "{they} said that {something has shifted|it is lighter|people notice a difference}.",
        "Stayed in the {store|line|waiting room} on {day} and did not leave. Was proud of it.",
        "Could name what set {them} off, and it passed in {ten|twenty} minutes.",
        "Called a friend from the unit for the first time in {2-8} months.",
        "Went to the {cookout|game|school play} and stayed to the end.",
        "Laughed about something that would have started a fight in the fall.",
        "Reads the scores with interest now. The line going down meant something to {them}.",
        "Has begun to plan for {next month|the summer|the holidays}.",
    ],
    &[
        "No great change either way, and {they} said so first.",
        "Some days are good. It is the not knowing which that wears {them} down.",
        "{they} does the exercises but does not see yet what they do.",
        "Keeps to the {same three places|early hours|back row}, as before.",
        "Would like it to go faster. Talked about what faster would look like.",
        "The scores have not moved much. We looked at the single answers instead.",
        "Still avoids {the highway|crowds|the news|the fireworks aisle}, and knows it.",
        "Good at the appointments, {they} said, less good between them.",
    ],
    &[
        "Harder than a month ago. {they} noticed it before I did.",
        "Has pulled back from {friends|the group|{hobby}} since {two|three} weeks.",
        "Short with {their} {partner} and sorry for it each time.",
        "Left the {store|group|waiting room} twice this week.",
        "Said that nothing had a point at the moment. Asked about it directly; no plan, no intent.",
        "The anniversary is near. {they} would rather it were over.",
        "Drinks a little more than {they} likes, {2-4} evenings a week.",
        "Does not answer the phone after dark any more.",
    ],
];

/// What is forgotten, more and more.
pub static FORGETS: [&[&str]; 3] = [
    &[
        "Lost the thread {once|twice} while telling it, and was annoyed.",
        "Came on {day} by mistake and had to come back.",
        "Could not find the word for {the stove|the ladder|the remote|the bus pass}. We waited; it came.",
        "Asked me {twice|again} when the next appointment is.",
        "Left the notebook in the {car|bus|waiting room}. Says that has happened {twice|three times} lately.",
        "Feels calm, {they} said, but {foggy|slow|a little far away}.",
        "Forgot the name of {their} {kin}'s street on the way there.",
    ],
    &[
        "Did not remember that we had talked about {the letter|the goal|{work}} last week. I showed {them} the note.",
        "Could not recall the name of the sergeant we spoke of in the first month. {they} was sure we never had.",
        "Sets {3-5} alarms a day now, and does not always know what they are for.",
        "Told the story of the {bridge|river|long drive} and left out {their} friend, who was in it every time before.",
        "{their} {partner} says {they} asks the same thing {2-4} times in an evening.",
        "Missed a turn on the way home that {they} has driven for years.",
        "Feels no distress when we speak about it. Nor much else.",
        "Had to be told that {their} {child} had a birthday. It shook {them}.",
    ],
    &[
        "Spoke of the deployment as of something read in a book.",
        "Does not remember {the winter|the second tour|the hospital}. Not avoiding it: {they} looked for it and it was not there.",
        "Asked who the people in the photograph were. {they} had brought it {self} in the first week.",
        "Scores are low and {they} says that all is well. I am not sure that it is the same thing.",
        "Could not say what we did last time, nor the time before. Wrote it down together.",
        "{their} {kin} called me: {they} did not know the way to {their} {kin}'s house.",
        "I raised it with the prescriber after the session. This is the {third|fourth|fifth} note about memory.",
        "Repeated the same sentence {2-4} times, as if new each time.",
    ],
];

/// What is forgotten, on the telephone.
pub static FORGETS_CALLED: &[&str] = &[
    "Did not know at first who I was, then laughed about it.",
    "Asked {twice|three times} which day it is.",
    "Had no memory of my call of last {week|month}.",
    "Did not recall what we agreed on; it was on the fridge, and {they} read it to me.",
    "Thought the next appointment had been already.",
    "{their} {kin} answered for {them}, more than before.",
    "Told me of {hobby} and, some minutes later, told me again.",
    "Asked me to write to {them} instead: on paper it stays.",
];

/// What we did with it.
pub static DONE: &[&str] = &[
    "Went through the {breathing|grounding|counting} exercise together, twice.",
    "Drew the week on one page and marked where it turned.",
    "Practised saying no to {a cousin|an employer|a form|a neighbor} in plain words.",
    "Read the last note together. {they} had {one correction|nothing to add|two things to add}.",
    "Wrote a list: what is mine to do, what is yours.",
    "Made the phone call from here, on speaker, with {them} doing the talking.",
    "Set up the calendar on {their} phone with {2-4} reminders.",
    "Talked through what {they} would tell a friend in the same place.",
    "Looked at the goal again and made it smaller.",
    "Looked at the goal again and left it as it is.",
    "Filled in the {benefits|housing|school|license} form, page by page.",
    "Took a break after {twenty|thirty} minutes, then finished.",
    "Named three people {they} could call at night, and put them in the phone.",
    "Planned one pleasant thing for {day}: {hobby}.",
    "Reviewed the safety plan. It still fits.",
    "Mostly listened today.",
    "Compared this month with the first one, in {their} own words.",
    "Worked on one thought only: what is it for, what does it cost.",
    "Walked through the {bus route|store|parking lot} step by step on paper.",
    "Explained what is written down here and who may read it.",
];

/// What was agreed.
pub static AGREED: &[&str] = &[
    "{they} will try the breathing before bed, not in it.",
    "Agreed: {ten|fifteen|twenty} minutes of walking on {3-5} days.",
    "I send the letter to the housing office by {day}.",
    "{they} calls {their} {kin} before {day}.",
    "We keep the diary to one line a day.",
    "{they} asks at {work} about {shifts|an opening|hours}.",
    "Agreed to leave the {highway|news|garage} for later.",
    "{they} will bring the {discharge papers|pay stub|letter from the county|school form}.",
    "I ask the prescriber about the {timing|morning grogginess|dose}.",
    "{they} takes the {pet} out before breakfast, whatever the night was like.",
    "One call to the {aim} office before we meet again.",
    "{they} will tell {their} {partner} what helps and what does not.",
    "Agreed on {two|three} evenings without a screen after ten.",
    "I find out about the bus pass.",
    "Dinner with {their} {child} on {day}, phone in the drawer.",
    "{they} decides about the group until next time. No pressure.",
    "Agreed to try the store at {eight in the morning|a quiet hour|noon, with company}.",
    "Nothing new agreed. Keep what works.",
];

/// What comes next.
pub static NEXT: &[&str] = &[
    "Next time as usual.",
    "Next time: scores first, then {the letter|the goal|{hobby}}.",
    "Has my number and the crisis line in the phone.",
    "{they} asked to meet {in person|by video|outside} next time.",
    "I call on {day}.",
    "Left {calmer|quieter|lighter} than {they} came.",
    "Shook hands at the door.",
    "Asked for a copy of this note, and got it.",
    "We meet again as booked.",
    "Reminder by text the day before, as {they} asked.",
];

/// After a telephone call.
pub static CALLS: &[&str] = &[
    "Reached {them} at the {first|second} try. All right so far.",
    "{they} was on the way to {work} and had {five|ten} minutes.",
    "Short call. {they} had slept and eaten, and said so before I asked.",
    "Called about the {letter|form|appointment}; it had arrived.",
    "Called back as promised. The {landlord|county office|school} has answered.",
    "{their} {partner} picked up first, then {they} came on.",
    "A fair week. The worst of it was {day}.",
    "{they} tried what we agreed on {2-4} days and will go on with it.",
    "Did not try what we agreed, and said why.",
    "Sounded {flat|tired|cheerful|hurried}. Asked twice; {they} said it was the {cold|shift|heat}.",
    "The {pet} barked through half of it.",
    "Spoke about {hobby}. {they} has taken it up again.",
    "Wanted to know whether the appointment stands. It does.",
    "Went over the week's plan, line by line.",
    "{they} asked for the address of the {clinic|food bank|legal aid office} and wrote it down.",
];

/// After somebody did not come: what we heard.
pub static MISSED: &[&str] = &[
    "Overslept after a bad night; up since {two|three|four}.",
    "The car would not start{ again|, the second time this month|, and {their} {kin} was away}.",
    "The bus {did not run|came forty minutes late|went without stopping}.",
    "Our message went to the old number. Number corrected.",
    "{they} had {work} and did not dare ask for the hour.",
    "{their} {child} was {ill|home from school|at the dentist}.",
    "Stood in the parking lot for {ten|twenty} minutes and drove home again. Said so {self}.",
    "Had written it down for {day}.",
    "A headache since {the morning|last night|{day}}.",
    "{their} {kin} needed the car.",
    "Forgot, and was sorry.",
    "No word yet.",
    "Said on the phone that today was not a day for talking.",
    "Too hot on the road, and no money for gas until {day}.",
];

/// After somebody did not come: what we did.
pub static REACHED: &[&str] = &[
    "Called {twice|three times} and left a message without details.",
    "Reached at {noon|two|three|four}; we spoke for {4-9} minutes.",
    "Text sent at {eleven|noon|one|half past two}; answered {within the hour|in the evening|at once}.",
    "Offered video for next time.",
    "New time offered for {day}; {they} will say by tomorrow.",
    "{their} {kin} not called yet; agreed to wait until {day}.",
    "Talked about how to ask for the hour.",
    "Told {them} that nothing is lost, and that the chair stays free.",
    "Asked about safety on the phone; nothing new.",
    "I try again on {day}, {early|at noon|after five}.",
    "Drove by at {four|five}; the lights were on. Left a card.",
    "Sent the bus times.",
];

/// After a call about safety.
pub static SAFETY: &[&str] = &[
    "Called because of the answer to item 9. {they} expected the call.",
    "Asked directly. Passing thoughts, no plan, no intent, nothing at hand.",
    "Went through the safety plan line by line. {they} knew it by heart.",
    "{their} {partner} is at home tonight and knows whom to call.",
    "Named what keeps {them} here: {their} {kin}, {hobby}, and unfinished business.",
    "Agreed on a call tomorrow at {nine|ten}. {they} has the crisis line.",
    "The thoughts are old, {they} said, and they come with the bad nights.",
    "Told the supervisor and wrote it here at once.",
];

/// The prescriber's lines.
pub static MEDICINE: &[&str] = &[
    "Takes it {most|all|nearly all} days{|, by the box with the days on it|, {their} {kin} asks}.",
    "Side effects: {none|dry mouth|some nausea in the first week|headache on two days|a little shaky at first}.",
    "Blood pressure {in order|a little low standing up|as before|better than last time}.",
    "{they} {would rather take less|is content with it|asks how long it is needed|wants to stay on it}.",
    "Talked about alcohol with it: {rarely|one or two on weekends|none|a beer on {day}}.",
    "Weight {unchanged|down by {two|three|four} pounds|up by {two|three|four} pounds}.",
    "{they} remembered the name and the dose without help.",
    "Bottle brought along and counted{|; two too many|; in order}.",
    "Went over what it is for, what it may do, and that {they} may stop.",
    "{Questions answered|Two questions, both answered|No questions today}. Leaflet given.",
    "Sleeps {4-7} hours with it, {3-5} without.",
    "Mornings {are|were} {slow|fair|no trouble}.",
    "Forgot it {once|twice|on {day}} and felt it.",
    "Read the leaflet and had underlined {one line|two lines|half of it}.",
    "{their} {partner} thinks that it helps. {they} is not sure.",
    "Labs {in order|due next time|sent today}.",
];

/// What sessions are about.
pub static TOPICS: &[Topic] = &[
    Topic {
        name: "First things",
        stages: &[0],
        lines: &[
            "Explained who we are, who sees the record, and that {they} may see all of it.",
            "{they} wants help with {sleep and papers|sleep and work|the temper and the house}, in that order.",
            "Told in outline where {they} served and with whom. No more than that today.",
            "Lives with {their} {partner} in a {two-room|rented|small} place.",
            "Stays with {their} {kin} for now, on the pull-out.",
            "Has done this once before elsewhere and left after {2-5} visits. Asked what would make {them} stay.",
            "Filled in the first questionnaires. {they} found {two|three} of the questions hard and answered them.",
            "Asked what I write down. I showed {them} the screen.",
            "Good at: {hobby}, mending things, being on time.",
            "Does not want the word patient. Participant will do.",
        ],
    },
    Topic {
        name: "Sleep and nights",
        stages: &[0, 1, 2],
        lines: &[
            "Went through a usual night from supper to morning.",
            "The hour before bed is the hard one. The house is quiet and {they} listens.",
            "Coffee until {four|six|eight} in the afternoon. {they} laughed when {they} heard {self} say it.",
            "Sleeps better when the {pet} is in the room.",
            "Wakes from small noises: the {pipes|fridge|neighbor's door}.",
            "Moved the clock out of sight on {their} own idea.",
            "{their} {child} asked why {they} was up at four. {they} told the truth: bad dream.",
            "A lamp in the hallway helps more than {they} likes to admit.",
        ],
    },
    Topic {
        name: "Family",
        stages: &[0, 1, 2, 3],
        lines: &[
            "{their} {partner} wants more talk, {they} wants less. Both are tired.",
            "Read a story to {their} {child} on {day}, for the first time since coming home.",
            "Dinner at {their} {kin}'s went well until the {noise|questions|neighbor} began.",
            "{their} {partner} joined for the last {ten|fifteen} minutes. A good talk about signals.",
            "{their} {kin} calls every day. {they} picks up on most of them.",
            "Missed the school meeting and was ashamed. Made another date from here.",
            "Feels like a guest in {their} own house. Less so on weekends.",
            "Wrote {their} {kin} a letter. Has not sent it.",
            "{their} {child} drew {them} with big ears, because {they} hears everything. It hangs on the fridge.",
            "The family game on {day} lasted an hour and nobody left the table.",
        ],
    },
    Topic {
        name: "Crowds and stores",
        stages: &[1, 2],
        lines: &[
            "The big store at {five in the afternoon|noon} is too much. At eight it goes.",
            "Sat with {their} back to the room in the diner for {ten|twenty} minutes. It went.",
            "Someone dropped a {tray|pallet|box}. {they} was outside before {they} knew it.",
            "Chose the long line on purpose.",
            "Counts exits without meaning to. Counted only twice this time.",
            "Went with {their} {partner}, and carried the bags, and it was a Saturday.",
            "Fireworks are {2-6} weeks off. Made a plan: headphones, the lake, {their} {kin}.",
            "The level of alarm fell from {7-9} to {3-5} while {they} stood there. {they} wrote both down.",
        ],
    },
    Topic {
        name: "Temper",
        stages: &[1, 2],
        lines: &[
            "Shouted at {a driver|a clerk|the TV|{their} {kin}} and drove home slowly after.",
            "Notices it in the {hands|jaw|neck} first now.",
            "Left the room before it went further, as planned, and came back as planned.",
            "Nobody was hurt and nothing broken. {they} wanted that written down.",
            "The trigger was being kept waiting without a word.",
            "Apologized to {their} {partner} without a but.",
            "We sorted the week's anger into hungry, tired, and right.",
            "Walked {two|three} miles instead.",
        ],
    },
    Topic {
        name: "Friends from the unit",
        stages: &[1, 2, 3],
        lines: &[
            "Three of the old unit meet in {spring|May|the fall}. Wants to go and does not want to go.",
            "Talked about a friend who is no longer here. We took our time.",
            "{they} keeps the photograph in the {glove box|wallet|kitchen drawer}.",
            "Called a friend on {day}. They talked about {hobby}, and then about the other thing.",
            "Some of them do not know that {they} comes here. {they} might tell one.",
            "Misses the sureness of it: who does what, who has your back.",
            "Said the name aloud, and it was all right.",
            "A message from the unit group had been unread for {3-9} weeks. Read it here.",
        ],
    },
    Topic {
        name: "Housing",
        stages: &[0, 1, 2],
        lines: &[
            "The lease ends in {2-5} months. The landlord {will|may|will not} renew.",
            "The housing office wants a letter from us. I promised it.",
            "Saw a place on {day}: ground floor, quiet street, too dear by a little.",
            "The roof leaks into the {kitchen|hall}. Pictures sent to the landlord.",
            "Sleeps in the car on bad nights, parked at {their} {kin}'s. Not since {day}.",
            "Got the keys. Two rooms and a door that locks, {they} said, twice.",
            "The deposit is short by a month's pay. Talked about the emergency fund.",
            "Wants a place where the {pet} may stay.",
        ],
    },
    Topic {
        name: "Papers and benefits",
        stages: &[0, 1, 2, 3],
        lines: &[
            "The claim was sent back for one missing page. We found the page.",
            "Waited {2-6} hours on the phone with the office over the week.",
            "The decision letter came. {they} had not opened it. Opened it here: granted in part.",
            "Needs a copy of the separation papers. Request filled in and signed.",
            "Does not understand the second paragraph. Neither did I. We will ask.",
            "The hearing is in {2-6} weeks. {they} wants somebody along.",
            "All papers are in one folder now, in order, for the first time.",
            "Back pay arrived. {they} paid {their} {kin} first.",
        ],
    },
    Topic {
        name: "Work",
        stages: &[2, 3],
        lines: &[
            "Started {two|three} half days at {work}.",
            "The interview lasted {twenty|forty} minutes. {they} looked at the person, not at the door.",
            "Told the foreman about the noise. Got another bench.",
            "The {aim} begins in {2-6} weeks. The form is in.",
            "{they} likes that the work can be seen at the end of the day.",
            "A bad shift on {day}: too loud, too many questions. Stayed until the end.",
            "First pay. Bought {boots|a bed|groceries for two weeks} and a cake.",
            "Worried about losing the job when {they} asks for the hour here. Wrote a note for the employer.",
            "Practised the question about the gap in the years. It can be said in two sentences.",
        ],
    },
    Topic {
        name: "School and training",
        stages: &[1, 2],
        lines: &[
            "The placement test for the {aim} is on {day}.",
            "Reading for long is hard. Twenty minutes, then a walk, then twenty.",
            "Sits near the door in class. The teacher knows and lets {them}.",
            "Passed the first module of the {aim}.",
            "{they} is older than the others and has decided not to mind.",
            "Homework with {their} {child} at the same table.",
            "Needs the papers for the fee waiver. I have them here.",
        ],
    },
    Topic {
        name: "Body and pain",
        stages: &[0, 1, 2, 3],
        lines: &[
            "The {knee|back|shoulder} keeps {them} from {hobby}.",
            "Headaches on {2-4} days, after long drives.",
            "Saw the physical therapist. {2-4} exercises, once a day.",
            "Ringing in the left ear, worse when it is quiet.",
            "{they} takes fewer pain pills than in the {winter|summer}.",
            "Cut down on coffee and has less of the shaking.",
            "Began to swim on {day} mornings, in the slow lane.",
            "Eats one proper meal a day. Agreed that two would be better.",
        ],
    },
    Topic {
        name: "What matters",
        stages: &[1, 2, 3],
        lines: &[
            "Asked what a good ordinary day would be. Coffee, {hobby}, somebody to tell it to.",
            "Thinks that {they} came back a different person, and wants to meet that person.",
            "There is something {they} did not do that {they} cannot put down. We looked at it from both sides.",
            "Sat in the back of the church for a while on {day}. Did not stay for the coffee.",
            "Wants to be of use to somebody. Named {two|three} ways.",
            "Has started to forgive {self} for being tired.",
            "Spoke about {hobby} as of something that belongs to {them} again.",
            "The person who came home in {their} boots, {they} said, is catching up.",
        ],
    },
    Topic {
        name: "Alcohol",
        stages: &[0, 1, 2],
        lines: &[
            "{2-4} evenings with beer this week, fewer than in the week before.",
            "Poured out the bottle on {day}. Told nobody but me.",
            "Went to the meeting on {day} and sat through it.",
            "Drinks to sleep, and wakes from it. {they} can see the circle.",
            "A dry week, the {first|second|third}.",
            "{their} {kin} offered a drink and took no well.",
            "Keeps sparkling water in the cool box now, for the hands.",
        ],
    },
    Topic {
        name: "Looking ahead",
        stages: &[3],
        lines: &[
            "Counted what {they} {can do|has learned} without us. It filled a page.",
            "Meets {their} own doctor from next month. The summary has been sent.",
            "Afraid of the last appointment a little. Agreed on two calls after it.",
            "Wrote down the early signs and who may say so: {their} {kin} and one friend.",
            "Wants to come back as a helper in the {spring|fall}.",
            "We read the first note together. {they} was quiet, then smiled.",
            "The way back to us is open, and {they} knows the number.",
            "Made a plan for the anniversary: {hobby}, company, an early night.",
        ],
    },
];
