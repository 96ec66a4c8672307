// Turns timings into rows: one JSON line for each engine, model and metric, with the cores that were busy meanwhile; and an error
// that stopped an engine into a row that says so.

const round = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(5)));

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The 95th percentile. */
export const p95 = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)];

/** Returns a function that writes rows to `stream`: the metric, its values, and the cores in use for each value. */
export function reporter(stream) {
  return (row, metric, unit, values, cores = []) => {
    const line = {
      ...row,
      metric,
      unit,
      median: round(median(values)),
      min: round(Math.min(...values)),
      max: round(Math.max(...values)),
      n: values.length,
    };
    if (cores.length > 0) {
      line.other_cores = round(median(cores.map(({ other }) => other)));
      line.own_cores = round(median(cores.map(({ own }) => own)));
    }
    stream.write(`${JSON.stringify(line)}\n`);
  };
}

/** Returns a function that writes a row to `stream` for a skipped engine, with the reason; `said` has its page's console errors. */
export function skipper(stream) {
  return (row, error, said = []) => {
    const reason = why(error, said);
    process.stderr.write(`skipped: ${reason}\n`);
    stream.write(`${JSON.stringify({ ...row, metric: "skipped", reason })}\n`);
  };
}

/** The reason in one line. A module that panics gives it on the console, and tells the page only "unreachable". */
function why(error, said) {
  const panic = said.findLast((text) => text.includes("panicked at"));
  // The message is in quotation marks before the place or, with newer compilers, on the line after it.
  const told = panic && (/panicked at '([^']*)'/.exec(panic)?.[1] ?? panic.split("\n", 2)[1]);
  return told || error.message.split("\n", 1)[0].replace(/^page\.evaluate: (Error: )?/, "");
}
