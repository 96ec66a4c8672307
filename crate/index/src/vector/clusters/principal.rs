//! Turns a covariance into the directions along which vectors differ most: its principal components.

/// Sweeps after which any two rows that matter are orthogonal.
const N_SWEEPS: usize = 12;
/// Rows with a smaller cosine count as orthogonal.
const ORTHOGONAL: f64 = 1e-7;

/// The eigenvectors and eigenvalues of a positive semi-definite symmetric matrix, largest first: rows are rotated in
/// pairs until all are orthogonal (Hestenes, 1958). Each row is then an eigenvector, and its length the eigenvalue.
pub(super) fn principal(mut rows: Vec<Vec<f64>>) -> (Vec<Vec<f64>>, Vec<f64>) {
    for _ in 0..N_SWEEPS {
        let mut is_done = true;
        for first in 0..rows.len() {
            let (above, below) = rows.split_at_mut(first + 1);
            let a = &mut above[first];
            for b in below {
                let (aa, bb, ab) = (product(a, a), product(b, b), product(a, b));
                if ab.abs() <= ORTHOGONAL * (aa * bb).sqrt() || ab.abs() < f64::MIN_POSITIVE {
                    continue;
                }
                is_done = false;
                let ratio = (bb - aa) / (2.0 * ab);
                let tangent = ratio.signum() / (ratio.abs() + (ratio * ratio + 1.0).sqrt());
                let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                let sine = cosine * tangent;
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                }
            }
        }
        if is_done {
            break;
        }
    }
    let mut found: Vec<(f64, Vec<f64>)> = rows
        .into_iter()
        .map(|row| (product(&row, &row).sqrt(), row))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    // Rows this short are rounding errors, not directions.
    let least = found.first().map_or(0.0, |(largest, _)| largest * 1e-9);
    found.retain(|(value, _)| *value > least);
    let axes = found.iter();
    let axes = axes.map(|(value, row)| row.iter().map(|x| x / value).collect());
    (
        axes.collect(),
        found.iter().map(|(value, _)| *value).collect(),
    )
}

/// The dot product, in eight partial sums so that it compiles to vector instructions.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest = a_rest.iter().zip(b_rest).map(|(a, b)| a * b);
    sums.into_iter().chain(rest).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_upright_and_the_matrix_stretches_along_them() {
        // The sum of squares of a few patterns: of rank 5, in 12 dimensions.
        let pattern = |n: usize| (0..12).map(move |x| ((n * 12 + x).pow(2) as f64 * 0.7).sin());
        let mut matrix = vec![vec![0.0; 12]; 12];
        for n in 0..5 {
            for (row, a) in matrix.iter_mut().zip(pattern(n)) {
                let row = row.iter_mut().zip(pattern(n));
                row.for_each(|(sum, b)| *sum += a * b * (n + 1) as f64);
            }
        }
        let (axes, values) = principal(matrix.clone());
        assert_eq!(axes.len(), 5, "as many as patterns: {values:?}");
        assert!(values.is_sorted_by(|a, b| a >= b), "descending: {values:?}");
        for (first, a) in axes.iter().enumerate() {
            for (second, b) in axes.iter().enumerate() {
                let expected = f64::from(u8::from(first == second));
                let found = product(a, b);
                assert!(
                    (found - expected).abs() < 1e-6,
                    "{first} with {second}: {found}"
                );
            }
            let stretched = matrix.iter().map(|row| product(row, a));
            for (found, x) in stretched.zip(a) {
                let expected = values[first] * x;
                assert!((found - expected).abs() < 1e-6, "{expected}, found {found}");
            }
        }
    }
}
