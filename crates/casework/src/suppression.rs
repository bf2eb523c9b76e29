//! Which numbers of a table may be shown to whoever may know nobody in it.
//!
//! A cell that counts 1 to 10 people is not shown (the rule of the US Centers for Medicare &
//! Medicaid Services), and neither is what it could be worked out from: totals are often enough to
//! subtract with. So more cells are left out until, of every cell that had to be, nothing narrower
//! follows from what is shown than the rule itself says: it may be 1, it may be 10, or anything
//! between. That is the promise, and [`Table::range`] is how it is kept: the least and the greatest
//! number that a left-out cell can be, given every number that is shown.
//!
//! A cell left out for its own sake and one left out for another's look the same.
//!
//! The range is exact. A table with its totals is a network (rows and columns are nodes, cells are
//! edges, and a total is an edge back), what is left out can only change along closed paths of edges
//! that are left out too, and the most that a cell can change by is the greatest flow round it.
//! Greatest flows of whole numbers are whole.
//!
//! What this does not answer: two tables of different days, of which one can be subtracted from the
//! other. Whoever makes tables makes them of whole months.

#[cfg(test)]
mod tests;

/// The smallest count that may be shown, zero apart.
pub const COUNT_LEAST: u64 = 11;

/// A table of counts with its totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Rows, each with its columns; the last row and the last column are totals.
    cells: Vec<Vec<u64>>,
    shown: Vec<Vec<bool>>,
}

/// What is shown of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// The number.
    Count(u64),
    /// It is left out.
    LeftOut,
}

impl Table {
    /// Adds totals to rows of equal length and leaves out what must be.
    ///
    /// # Panics
    ///
    /// If the rows are not of equal length.
    pub fn of(rows: &[Vec<u64>]) -> Table {
        let columns = rows.first().map_or(0, Vec::len);
        assert!(
            rows.iter().all(|row| row.len() == columns),
            "rows of one table are of one length"
        );
        let mut cells: Vec<Vec<u64>> = rows
            .iter()
            .map(|row| {
                let total = row.iter().sum();
                row.iter().copied().chain([total]).collect()
            })
            .collect();
        let totals = (0..=columns).map(|column| cells.iter().map(|row| row[column]).sum());
        let totals: Vec<u64> = totals.collect();
        cells.push(totals);
        let shown = cells.iter().map(|row| row.iter().map(|_| true).collect());
        let mut table = Table {
            shown: shown.collect(),
            cells,
        };
        table.suppress();
        table
    }

    /// What is shown, with the totals.
    pub fn cells(&self) -> impl Iterator<Item = Vec<Cell>> {
        self.cells.iter().zip(&self.shown).map(|(row, shown)| {
            let both = row.iter().zip(shown);
            both.map(|(count, shown)| match shown {
                true => Cell::Count(*count),
                false => Cell::LeftOut,
            })
            .collect()
        })
    }

    /// How many cells are left out, totals included.
    pub fn left_out(&self) -> usize {
        let shown = self.shown.iter().flatten();
        shown.filter(|shown| !**shown).count()
    }

    /// The least and the greatest number that a cell can be, for somebody who knows every number
    /// that is shown and that all are counts. A greatest of `u64::MAX` is no bound at all.
    pub fn range(&self, row: usize, column: usize) -> (u64, u64) {
        let count = self.cells[row][column];
        if self.shown[row][column] {
            return (count, count);
        }
        let more = self.flow_round(row, column, true);
        let less = self.flow_round(row, column, false).min(count);
        (count - less, count.saturating_add(more))
    }

    fn suppress(&mut self) {
        for (row, shown) in self.cells.iter().zip(&mut self.shown) {
            for (count, shown) in row.iter().zip(shown) {
                *shown = !is_small(*count);
            }
        }
        while let Some(exposed) = self.exposed() {
            let more = self.hiding(&exposed);
            // Nothing can hide it but leaving out everything.
            let everything = more.is_empty();
            for (row, shown) in self.shown.iter_mut().enumerate() {
                for (column, shown) in shown.iter_mut().enumerate() {
                    *shown &= !everything && !more.contains(&(row, column));
                }
            }
        }
    }

    /// A small cell of which more follows than that it is small.
    fn exposed(&self) -> Option<Exposed> {
        let small = |(row, column): &(usize, usize)| is_small(self.cells[*row][*column]);
        self.places().filter(small).find_map(|(row, column)| {
            let count = self.cells[row][column];
            let (least, most) = self.range(row, column);
            let grow = most < COUNT_LEAST - 1;
            (grow || least > 1).then_some(Exposed {
                row,
                column,
                grow,
                by: if grow {
                    COUNT_LEAST - 1 - count
                } else {
                    count - 1
                },
            })
        })
    }

    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        let (rows, columns) = (self.cells.len(), self.cells[0].len());
        (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
    }

    /// The cells to leave out for the sake of an exposed one: those of the cheapest closed path on
    /// which it can change by as much as is needed.
    fn hiding(&self, exposed: &Exposed) -> Vec<(usize, usize)> {
        let rows = self.cells.len();
        let (from, to) = self.ends(exposed.row, exposed.column);
        let (source, sink) = match exposed.grow {
            true => (to, from),
            false => (from, to),
        };
        for needed in (1..=exposed.by).rev() {
            let path = cheapest(rows + self.cells[0].len(), source, sink, |from, to| {
                let (row, column) = (from.min(to), from.max(to).checked_sub(rows)?);
                if row >= rows || (row, column) == (exposed.row, exposed.column) {
                    return None;
                }
                let shrinks = self.ends(row, column) != (from, to);
                if shrinks && self.cells[row][column] < needed {
                    return None;
                }
                Some(self.cost(row, column))
            });
            let places = path.windows(2).map(|step| {
                let (from, to) = (step[0], step[1]);
                (from.min(to), from.max(to) - rows)
            });
            let more: Vec<_> = places
                .filter(|(row, column)| self.shown[*row][*column])
                .collect();
            if !more.is_empty() {
                return more;
            }
        }
        Vec::new()
    }

    /// What it costs to leave a cell out: those that say little first, totals last.
    fn cost(&self, row: usize, column: usize) -> u64 {
        let count = self.cells[row][column];
        let totals =
            u8::from(row == self.cells.len() - 1) + u8::from(column == self.cells[row].len() - 1);
        match (self.shown[row][column], totals) {
            (false, _) => 0,
            (true, 0) if count == 0 => 3_000,
            (true, 0) => 1_000 + count.min(999),
            (true, 1) => 20_000 + count.min(999),
            (true, _) => 10_000_000,
        }
    }

    /// By how much a left-out cell can grow (or shrink), if those that are left out as well change
    /// with it and every line still adds up.
    fn flow_round(&self, row: usize, column: usize, grow: bool) -> u64 {
        let rows = self.cells.len();
        let nodes = rows + self.cells[0].len();
        // room[from][to]: by how much the cell between two nodes can still change in that sense.
        let mut room = vec![vec![0u64; nodes]; nodes];
        for (at_row, (cells, shown)) in self.cells.iter().zip(&self.shown).enumerate() {
            for (at_column, (count, shown)) in cells.iter().zip(shown).enumerate() {
                if *shown || (at_row, at_column) == (row, column) {
                    continue;
                }
                let (from, to) = self.ends(at_row, at_column);
                room[from][to] = u64::MAX;
                room[to][from] = *count;
            }
        }
        // The cell itself takes the flow from the end of its edge back to the beginning.
        let (from, to) = self.ends(row, column);
        let (source, sink) = if grow { (to, from) } else { (from, to) };
        let mut all = 0u64;
        while let Some(path) = path(&room, source, sink) {
            let least = path
                .windows(2)
                .map(|step| room[step[0]][step[1]])
                .min()
                .unwrap_or_default();
            if least == u64::MAX {
                return u64::MAX;
            }
            for step in path.windows(2) {
                let (from, to) = (step[0], step[1]);
                room[from][to] = less(room[from][to], least);
                room[to][from] = room[to][from].saturating_add(least);
            }
            all = all.saturating_add(least);
        }
        all
    }

    /// Where the edge of a cell begins and ends: a cell goes from its row to its column, its row's
    /// and its column's totals go back, and the total of all goes forward again.
    fn ends(&self, row: usize, column: usize) -> (usize, usize) {
        let rows = self.cells.len();
        let back = (row == rows - 1) != (column == self.cells[row].len() - 1);
        match back {
            true => (rows + column, row),
            false => (row, rows + column),
        }
    }
}

/// A small cell of which too much follows.
#[derive(Debug, PartialEq, Eq)]
struct Exposed {
    row: usize,
    column: usize,
    /// Whether it could not be greater, or not be less.
    grow: bool,
    /// By how much it must be able to change in that sense.
    by: u64,
}

/// The nodes of the cheapest path (Dijkstra's); empty if there is none.
fn cheapest(
    nodes: usize,
    source: usize,
    sink: usize,
    cost: impl Fn(usize, usize) -> Option<u64>,
) -> Vec<usize> {
    let mut best: Vec<Option<u64>> = vec![None; nodes];
    let mut came_from: Vec<Option<usize>> = vec![None; nodes];
    let mut done = vec![false; nodes];
    best[source] = Some(0);
    loop {
        let open = (0..nodes).filter(|node| !done[*node]);
        let next = open.filter_map(|node| Some((best[node]?, node))).min();
        let Some((so_far, node)) = next else {
            return Vec::new();
        };
        if node == sink {
            break;
        }
        done[node] = true;
        for to in 0..nodes {
            let Some(more) = cost(node, to).filter(|_| !done[to]) else {
                continue;
            };
            if best[to].is_none_or(|best| so_far + more < best) {
                best[to] = Some(so_far + more);
                came_from[to] = Some(node);
            }
        }
    }
    let mut path = vec![sink];
    while let Some(before) = came_from[path[path.len() - 1]] {
        path.push(before);
    }
    path.reverse();
    path
}

/// What is left of a room, where no bound stays none.
fn less(room: u64, by: u64) -> u64 {
    match room {
        u64::MAX => u64::MAX,
        room => room - by,
    }
}

/// The shortest path on which there is room.
fn path(room: &[Vec<u64>], source: usize, sink: usize) -> Option<Vec<usize>> {
    let mut came_from = vec![None; room.len()];
    let mut next = std::collections::VecDeque::from([source]);
    while let Some(node) = next.pop_front() {
        if node == sink {
            let mut path = vec![sink];
            while let Some(before) = came_from[path[path.len() - 1]] {
                path.push(before);
            }
            path.reverse();
            return Some(path);
        }
        for (to, room) in room[node].iter().enumerate() {
            if *room > 0 && to != source && came_from[to].is_none() {
                came_from[to] = Some(node);
                next.push_back(to);
            }
        }
    }
    None
}

fn is_small(count: u64) -> bool {
    (1..COUNT_LEAST).contains(&count)
}
