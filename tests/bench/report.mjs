// Turns timings into rows: one JSON line for each engine, model and metric, with the cores that were busy meanwhile.

const round = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(5)));

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Gives a function that writes rows to `stream`: what was measured, the values, and for each of them the cores in use. */
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
