//! Williams squares: orders that balance place and neighbour.

/// A Williams square for `k` things: k rows for even k, 2k for odd k. Every thing stands
/// equally often in every column and directly after every other thing (Williams 1949).
pub(crate) fn williams(k: usize) -> Vec<Vec<usize>> {
    let first: Vec<usize> = (0..k)
        .map(|column| if column % 2 == 0 { column / 2 } else { k - column.div_ceil(2) })
        .collect();
    let rows = (0..k).map(|row| first.iter().map(|thing| (thing + row) % k).collect::<Vec<_>>());
    let mut square: Vec<Vec<usize>> = rows.collect();
    if k % 2 == 1 && k > 1 {
        let mirrored: Vec<Vec<usize>> =
            square.iter().map(|row| row.iter().rev().copied().collect()).collect();
        square.extend(mirrored);
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn williams_squares_balance_place_and_neighbour() {
        for k in 2..=12 {
            let square = williams(k);
            let rows = square.len();
            assert_eq!(rows, if k % 2 == 0 { k } else { 2 * k });
            let mut places = vec![vec![0; k]; k];
            let mut after = vec![vec![0; k]; k];
            for row in &square {
                for (place, &thing) in row.iter().enumerate() {
                    places[place][thing] += 1;
                }
                for pair in row.windows(2) {
                    after[pair[0]][pair[1]] += 1;
                }
            }
            assert!(places.iter().flatten().all(|&n| n == rows / k), "{k}: {places:?}");
            for (a, row) in after.iter().enumerate() {
                for (b, &n) in row.iter().enumerate() {
                    assert_eq!(n, if a == b { 0 } else { rows / k }, "{k}");
                }
            }
        }
    }
}
