//! Tables as they come out, and attackers who try everything that fits.

use super::*;

/// Cells of a table as text, `-` for what is left out.
fn drawn(table: &Table) -> Vec<String> {
    table
        .cells()
        .map(|row| {
            let cells = row.into_iter().map(|cell| match cell {
                Cell::Count(count) => count.to_string(),
                Cell::LeftOut => "-".to_owned(),
            });
            cells.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn check(rows: &[&[u64]], expect: &[&str]) {
    let rows: Vec<Vec<u64>> = rows.iter().map(|row| row.to_vec()).collect();
    let table = Table::of(&rows);
    assert_eq!(drawn(&table), expect, "{rows:?}");
    assert_eq!(table.exposed(), None);
}

#[test]
fn what_is_small_is_left_out_and_what_it_could_be_worked_out_from() {
    // Nothing is small.
    check(&[&[20, 30], &[11, 0]], &["20 30 50", "11 0 11", "31 30 61"]);
    // One small cell would follow from its row and its column: three more go.
    check(
        &[&[20, 30, 40], &[3, 50, 60], &[70, 80, 90]],
        &["- - 40 90", "- - 60 113", "70 80 90 240", "93 160 190 443"],
    );
    // A table that counts nobody says so.
    check(&[&[0, 0]], &["0 0 0", "0 0 0"]);
    // A total that is small itself takes everything in it along.
    check(&[&[3, 4]], &["- - -", "- - -"]);
    // Two small cells whose sum is small would still be told apart from greater ones.
    check(&[&[1, 1, 40]], &["- - - 42", "- - - 42"]);
    // Two that sum to more than ten hide each other.
    check(&[&[6, 6, 40]], &["- - 40 52", "- - 40 52"]);
}

/// A small generator of its own, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        // Knuth's constants for a linear congruence; the high bits are good enough for a test.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn table(&mut self, most: u64) -> Vec<Vec<u64>> {
        let (rows, columns) = (1 + self.below(3), 1 + self.below(3));
        let cell = |dice: &mut Dice| match dice.below(4) {
            0 => 0,
            1 => dice.below(COUNT_LEAST),
            _ => dice.below(most),
        };
        (0..rows)
            .map(|_| (0..columns).map(|_| cell(self)).collect())
            .collect()
    }
}

/// Every value that each inner cell can take, by trying all of them: the attacker knows what is
/// shown, that cells are counts, and nothing else.
fn by_force(table: &Table) -> Vec<Vec<(u64, u64)>> {
    let inner_rows = table.cells.len() - 1;
    let inner_columns = table.cells[0].len() - 1;
    let places: Vec<(usize, usize)> = (0..inner_rows)
        .flat_map(|row| (0..inner_columns).map(move |column| (row, column)))
        .collect();
    // No cell is greater than anything that is shown and holds it.
    let total = table.cells[inner_rows][inner_columns];
    let mut ranges = vec![vec![(u64::MAX, 0); inner_columns]; inner_rows];
    let mut tried = vec![vec![0u64; inner_columns]; inner_rows];
    fill(table, &places, 0, total, &mut tried, &mut ranges);
    ranges
}

fn fill(
    table: &Table,
    places: &[(usize, usize)],
    at: usize,
    most: u64,
    tried: &mut Vec<Vec<u64>>,
    ranges: &mut Vec<Vec<(u64, u64)>>,
) {
    let (last_row, last_column) = (table.cells.len() - 1, table.cells[0].len() - 1);
    let fits = |row: usize, column: usize, sum: u64, whole: bool| {
        let count = table.cells[row][column];
        !table.shown[row][column] || sum == count || (!whole && sum < count)
    };
    let sums_fit = |tried: &Vec<Vec<u64>>| {
        let rows = (0..last_row).all(|row| {
            let sum = tried[row].iter().sum();
            let whole = places[..at].contains(&(row, last_column - 1));
            fits(row, last_column, sum, whole)
        });
        let columns = (0..last_column).all(|column| {
            let sum = tried.iter().map(|row| row[column]).sum();
            let whole = places[..at].contains(&(last_row - 1, column));
            fits(last_row, column, sum, whole)
        });
        let all = tried.iter().flatten().sum();
        rows && columns && fits(last_row, last_column, all, at == places.len())
    };
    if !sums_fit(tried) {
        return;
    }
    let Some((row, column)) = places.get(at).copied() else {
        for (row, cells) in tried.iter().enumerate() {
            for (column, value) in cells.iter().enumerate() {
                let (least, greatest) = &mut ranges[row][column];
                *least = (*least).min(*value);
                *greatest = (*greatest).max(*value);
            }
        }
        return;
    };
    let values = match table.shown[row][column] {
        true => table.cells[row][column]..=table.cells[row][column],
        false => 0..=most,
    };
    for value in values {
        tried[row][column] = value;
        fill(table, places, at + 1, most, tried, ranges);
    }
    tried[row][column] = 0;
}

#[test]
fn whoever_tries_everything_learns_no_more_than_that_a_cell_is_small() {
    let mut dice = Dice(20_261_122);
    let mut small = 0;
    let mut tables = 0;
    while tables < 400 {
        let rows = dice.table(16);
        // Trying everything takes too long where much is left out of a great total.
        let table = Table::of(&rows);
        let unknown = table.shown[..rows.len()]
            .iter()
            .flat_map(|row| &row[..rows[0].len()]);
        let unknown = unknown.filter(|shown| !**shown).count();
        let total: u64 = rows.iter().flatten().sum();
        if unknown > 4 || total > 60 {
            continue;
        }
        tables += 1;
        let grand_total_shown = table.shown[rows.len()][rows[0].len()];
        let found = by_force(&table);
        for (row, cells) in rows.iter().enumerate() {
            for (column, count) in cells.iter().enumerate() {
                let (least, greatest) = found[row][column];
                let (said_least, said_greatest) = table.range(row, column);
                assert_eq!(least, said_least, "{rows:?} at {row},{column}: {table:?}");
                if grand_total_shown {
                    // The attacker's search is bounded by the total, which is a true bound only if
                    // it is shown.
                    assert_eq!(
                        greatest, said_greatest,
                        "{rows:?} at {row},{column}: {table:?}"
                    );
                }
                if is_small(*count) {
                    small += 1;
                    assert!(least <= 1, "{rows:?} at {row},{column}: at least {least}");
                    assert!(
                        said_greatest >= COUNT_LEAST - 1,
                        "{rows:?} at {row},{column}: at most {said_greatest}"
                    );
                }
            }
        }
    }
    assert!(small > 200, "{small} small cells are hardly a test");
}

#[test]
fn no_small_cell_of_any_size_of_table_is_exposed_totals_included() {
    let mut dice = Dice(4_711);
    for _ in 0..2_000 {
        let (rows, columns) = (1 + dice.below(7) as usize, 1 + dice.below(6) as usize);
        let most = [5, 12, 40, 400][dice.below(4) as usize];
        let rows: Vec<Vec<u64>> = (0..rows)
            .map(|_| (0..columns).map(|_| dice.below(most)).collect())
            .collect();
        let table = Table::of(&rows);
        for (row, cells) in table.cells.iter().enumerate() {
            for (column, count) in cells.iter().enumerate() {
                if !is_small(*count) {
                    continue;
                }
                let (least, greatest) = table.range(row, column);
                assert!(!table.shown[row][column], "{rows:?}: {count} is shown");
                assert!(
                    least <= 1 && greatest >= COUNT_LEAST - 1,
                    "{rows:?} at {row},{column}: {least} to {greatest}"
                );
            }
        }
    }
}

#[test]
fn leaving_out_the_small_cells_alone_is_seen_to_be_too_little() {
    // The check itself must bite: without complements the subtraction works.
    let mut table = Table::of(&[vec![20, 30], vec![3, 50]]);
    for (row, cells) in table.cells.iter().enumerate() {
        for (column, count) in cells.iter().enumerate() {
            table.shown[row][column] = !is_small(*count);
        }
    }
    assert_eq!(table.range(1, 0), (3, 3));
    let exposed = table.exposed().expect("an exposed cell");
    assert_eq!((exposed.row, exposed.column), (1, 0));
}
