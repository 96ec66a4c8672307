//! Prints figures of retrieval as tables, or as JSON.

use super::calibrate::Fit;
use super::set_report::SetReport;

/// Prints one set's table.
pub(super) fn print_set(report: &SetReport) {
    println!(
        "{}: {} documents, {} chunks, {} queries; {}",
        report.set, report.documents, report.chunks, report.queries, report.index
    );
    println!(
        "{:<8} {:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>12} {:>8} {:>8}",
        "tier",
        "vectors",
        "nDCG@10",
        "test",
        "first",
        "among 5",
        "MRR@10",
        "R@10",
        "R@100",
        "bytes",
        "ms p50",
        "ms p95"
    );
    for row in &report.rows {
        println!(
            "{:<8} {:<12} {:>8.4} {:>8.4} {:>8.4} {:>8.4} {:>8.4} {:>8.4} {:>8.4} {:>12} {:>8.3} {:>8.3}",
            row.tier,
            row.vectors,
            row.figures.ndcg_10,
            row.ndcg_10_test,
            row.figures.first,
            row.figures.among_5,
            row.figures.mrr_10,
            row.figures.recall_10,
            row.figures.recall_100,
            row.bytes,
            row.ms_p50,
            row.ms_p95
        );
    }
    println!(
        "recall@10 of the index against all int8 vectors: {:.4}; embedding a query: {:.1} ms, with {} bytes\n",
        report.index_recall_10, report.embed_ms, report.embedder_bytes
    );
}

/// Prints nDCG@10 of all sets' development halves, one line for each weight.
pub(super) fn print_fits(fits: &[Fit]) {
    print!("{:<16}", "weight of words");
    for fit in fits {
        print!(" {:>13}", fit.set);
    }
    println!(" {:>8}", "mean");
    let weights = fits.first().map_or(&[][..], |fit| &fit.ndcg_10);
    for (idx, (weight, _)) in weights.iter().enumerate() {
        print!("{weight:<16.2}");
        for fit in fits {
            print!(" {:>13.4}", fit.ndcg_10[idx].1);
        }
        let sum: f64 = fits.iter().map(|fit| fit.ndcg_10[idx].1).sum();
        println!(" {:>8.4}", sum / fits.len() as f64);
    }
}

/// Prints nDCG@10 of all sets, one line for each way to search.
pub(super) fn print_means(reports: &[SetReport]) {
    print!("{:<8} {:<12}", "nDCG@10", "vectors");
    for report in reports {
        print!(" {:>13}", report.set);
    }
    println!(" {:>8}", "mean");
    let n_rows = reports.iter().map(|report| report.rows.len()).min();
    for idx in 0..n_rows.unwrap_or(0) {
        let row = &reports[0].rows[idx];
        print!("{:<8} {:<12}", row.tier, row.vectors);
        let mut sum = 0.0;
        for report in reports {
            let ndcg = report.rows[idx].figures.ndcg_10;
            sum += ndcg;
            print!(" {ndcg:>13.4}");
        }
        println!(" {:>8.4}", sum / reports.len() as f64);
    }
    print!("{:<21}", "above the better part");
    for report in reports {
        print!(" {:>+13.4}", report.fused_gain());
    }
    println!();
}

/// Prints everything as JSON.
pub(super) fn print_json(report: &impl serde::Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(report)?);
    Ok(())
}
