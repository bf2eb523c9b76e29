//! Passwords that everybody tries.
//!
//! Lists of the commonest passwords hold few that are as long as ours must be, and those are put
//! together from the short ones: a common word twice, a word and a year, a row of keys. So what is
//! kept here is the pieces, and a password is common when pieces leave little else of it.

/// Words and rows of keys that passwords are made of, from published lists of the commonest ones.
const PIECES: &str = "password passwort passw pass word qwerty qwertz azerty qwertyuiop asdfghjkl zxcvbnm \
    qazwsx wsxedc qweasd zaqxsw qwer asdf zxcv asd zxc qaz wsx edc iloveyou ilove loveyou love \
    lovely forever letmein welcome monkey dragon master superman batman spiderman pokemon starwars \
    football baseball basketball soccer hockey princess sunshine shadow michael jennifer jordan \
    jessica ashley daniel charlie andrew joshua matthew thomas robert william anthony george maggie \
    nicole hunter harley ranger buster tigger killer pepper ginger summer winter spring autumn \
    january february march april may june july august september october november december monday \
    tuesday wednesday thursday friday saturday sunday computer internet samsung google facebook \
    microsoft windows android apple iphone secret private access admin administrator root user guest \
    test testing demo default changeme change login signin hello world freedom whatever trustno \
    trust nothing something anything blink flower purple orange yellow silver golden green black \
    white blue red cheese chocolate cookie banana coffee pizza butter liverpool chelsea arsenal \
    barcelona madrid yankees cowboys lakers eagles steelers america american england london paris \
    newyork chicago texas dallas army navy marine marines airforce soldier military veteran veterans \
    sniper ranger patriot mustang corvette ferrari porsche mercedes yamaha honda toyota harvey \
    angel angels baby babygirl babyboy family mother father daddy mommy mama papa sister brother \
    friend friends jesus christ blessed heaven church god lord faith hope grace peace happy lucky \
    money dollar rich sexy hottie fuckyou fuck shit bitch asshole pussy correct horse battery staple \
    homecoming caseworker counselor counsellor programme program hospital clinic medicine doctor \
    nurse health patient participant supervisor officer inspector office company house home work \
    the and for you are is my me i a an it in of to";

/// The most characters that may be left beside common pieces.
const LEFT_LEAST: usize = 6;

/// Whether a password is made of what everybody uses.
pub fn is_common(password: &str) -> bool {
    let plain = plain(password);
    left(&plain, &PIECES.split_whitespace().collect::<Vec<_>>()) < LEFT_LEAST
        || has_few_kinds(&plain)
}

/// Whether a password is little more than a name.
pub fn is_mostly(password: &str, name: &str) -> bool {
    let plain_name = name.to_lowercase();
    let parts: Vec<&str> = plain_name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| part.chars().count() >= 3)
        .collect();
    let plain = password.to_lowercase();
    parts.iter().any(|part| plain.contains(part)) && left(&plain, &parts) < LEFT_LEAST
}

/// Lower case, with the digits and signs that stand for letters turned back into them.
fn plain(password: &str) -> String {
    let swapped = |c: char| match c {
        '@' | '4' => 'a',
        '0' => 'o',
        '3' => 'e',
        '$' | '5' => 's',
        '!' => 'i',
        c => c,
    };
    let lower = password.to_lowercase();
    // A row of digits is a row of digits, not letters in disguise.
    let letters = lower.chars().filter(|c| c.is_alphabetic()).count();
    match letters >= 4 {
        true => lower.chars().map(swapped).collect(),
        false => lower,
    }
}

/// How many characters no piece, row or repetition covers, covering as many as can be.
fn left(text: &str, pieces: &[&str]) -> usize {
    let chars: Vec<char> = text.chars().collect();
    // What is left of the first n characters, at least.
    let mut least = vec![0; chars.len() + 1];
    for end in 1..=chars.len() {
        let last = chars[end - 1];
        // Digits and signs are what everybody adds: they count for nothing.
        let alone = usize::from(last.is_alphabetic());
        least[end] = least[end - 1] + alone;
        for piece in pieces {
            let length = piece.chars().count();
            if length <= end && piece.chars().eq(chars[end - length..end].iter().copied()) {
                least[end] = least[end].min(least[end - length]);
            }
        }
        for length in 3..=end {
            let begin = end - length;
            match is_row(&chars[begin..end]) {
                true => least[end] = least[end].min(least[begin] + 1),
                false => break,
            }
        }
    }
    least[chars.len()]
}

/// Characters that go up, down or stay, one by one.
fn is_row(chars: &[char]) -> bool {
    let step = |pair: &[char]| pair[1] as i64 - pair[0] as i64;
    let first = step(&chars[..2]);
    first.abs() <= 1 && chars.windows(2).all(|pair| step(pair) == first)
}

/// Fewer than five different characters, however long.
fn has_few_kinds(text: &str) -> bool {
    let mut kinds: Vec<char> = text.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.len() < 5
}
