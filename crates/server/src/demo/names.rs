//! Names that are put together by chance. Given and family names are drawn apart from each
//! other, so that whoever comes out is nobody in particular.

use super::chance::Chance;

const HIS: &[&str] = &[
    "Aaron",
    "Adrian",
    "Alonzo",
    "Amir",
    "Andre",
    "Arturo",
    "Austin",
    "Bao",
    "Brandon",
    "Caleb",
    "Carlton",
    "Cedric",
    "Chidi",
    "Clayton",
    "Curtis",
    "Dale",
    "Damon",
    "Darnell",
    "Derek",
    "Dominic",
    "Duane",
    "Eduardo",
    "Elijah",
    "Emeka",
    "Ernesto",
    "Farid",
    "Felix",
    "Garrett",
    "Gerald",
    "Gilbert",
    "Hassan",
    "Hector",
    "Hiro",
    "Ignacio",
    "Isaac",
    "Ivan",
    "Jamal",
    "Jared",
    "Jesse",
    "Joaquin",
    "Kareem",
    "Keith",
    "Kofi",
    "Lamar",
    "Lionel",
    "Luis",
    "Marcus",
    "Marvin",
    "Mateo",
    "Miles",
    "Minh",
    "Nathaniel",
    "Noel",
    "Omar",
    "Orlando",
    "Osvaldo",
    "Patrick",
    "Pavel",
    "Quentin",
    "Rafael",
    "Ramon",
    "Reggie",
    "Rohan",
    "Russell",
    "Sanjay",
    "Silas",
    "Stefan",
    "Tavita",
    "Terrence",
    "Tobias",
    "Trevor",
    "Ulises",
    "Victor",
    "Wade",
    "Wendell",
    "Xavier",
    "Yusuf",
    "Zane",
];

const HERS: &[&str] = &[
    "Adriana", "Alicia", "Amara", "Andrea", "Beatriz", "Bethany", "Camille", "Carla", "Celeste",
    "Chantal", "Denise", "Dolores", "Elena", "Erin", "Fatima", "Felicia", "Frances", "Grace",
    "Hana", "Imani", "Ines", "Irene", "Jasmine", "Joanna", "Kalani", "Keisha", "Laila", "Latoya",
    "Lorena", "Lucia", "Mai", "Marisa", "Monique", "Nadia", "Naomi", "Nicole", "Olivia", "Patrice",
    "Paula", "Renee", "Rosalind", "Sabrina", "Shanice", "Sonia", "Tamika", "Teresa", "Ursula",
    "Valerie", "Yolanda", "Zora",
];

const FAMILIES: &[&str] = &[
    "Abara",
    "Adeyemi",
    "Aguirre",
    "Alcott",
    "Amaya",
    "Andrade",
    "Ashworth",
    "Balogun",
    "Bancroft",
    "Barrientos",
    "Begay",
    "Benally",
    "Beaumont",
    "Boateng",
    "Brannigan",
    "Caldwell",
    "Cardenas",
    "Castellanos",
    "Chaudhry",
    "Chavarria",
    "Coburn",
    "Cordova",
    "Dao",
    "Delgado",
    "Desrosiers",
    "Dinh",
    "Dombrowski",
    "Dufresne",
    "Eastman",
    "Echevarria",
    "Ekwueme",
    "Escamilla",
    "Fairbanks",
    "Farrow",
    "Fontaine",
    "Fuentes",
    "Gallegos",
    "Garrison",
    "Gebre",
    "Grijalva",
    "Guidry",
    "Haddad",
    "Hakimi",
    "Halvorsen",
    "Hargrove",
    "Hinojosa",
    "Holloway",
    "Ibarra",
    "Ingram",
    "Ishikawa",
    "Jimerson",
    "Kahale",
    "Kaminski",
    "Kealoha",
    "Kekona",
    "Kirkland",
    "Koroma",
    "Kowalczyk",
    "Laframboise",
    "Lindgren",
    "Littlejohn",
    "Lockhart",
    "Luong",
    "Macias",
    "Mansour",
    "McAllister",
    "Medrano",
    "Mensah",
    "Montoya",
    "Moreau",
    "Nakagawa",
    "Nez",
    "Ngo",
    "Novak",
    "Ochoa",
    "Okonkwo",
    "Olmstead",
    "Oyelaran",
    "Pacheco",
    "Paquette",
    "Park",
    "Pettigrew",
    "Phan",
    "Pruitt",
    "Quezada",
    "Rahimi",
    "Redwing",
    "Renteria",
    "Rosenthal",
    "Sandoval",
    "Santoro",
    "Saldivar",
    "Shepherd",
    "Sibley",
    "Sorensen",
    "Stallworth",
    "Sundaram",
    "Tafoya",
    "Tanaka",
    "Tesfaye",
    "Thibodeaux",
    "Toledo",
    "Trujillo",
    "Faleafa",
    "Underwood",
    "Valdivia",
    "Vang",
    "Venkataraman",
    "Villareal",
    "Wadsworth",
    "Washburn",
    "Whitaker",
    "Yazzie",
    "Yoder",
    "Zamora",
    "Zielke",
];

/// Family names, each once, in an order of their own.
pub fn families(chance: &mut Chance) -> Vec<&'static str> {
    let mut all = FAMILIES.to_vec();
    chance.shuffle(&mut all);
    all
}

/// Given names, his and hers, each once, in orders of their own.
pub fn givens(chance: &mut Chance) -> [Vec<&'static str>; 2] {
    [HIS, HERS].map(|list| {
        let mut all = list.to_vec();
        chance.shuffle(&mut all);
        all
    })
}

/// A middle initial.
pub fn initial(chance: &mut Chance) -> String {
    format!("{}.", b"ABCDEFGHJKLMNPRSTVW"[chance.below(19)] as char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_on_a_list_twice() {
        for list in [HIS, HERS, FAMILIES] {
            let mut sorted = list.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), list.len());
        }
    }
}
