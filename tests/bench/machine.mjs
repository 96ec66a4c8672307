// Turns /proc into the context of a timing: the CPU that others used, and a page's peak memory.
import fs from "node:fs";

/** The kernel counts time in hundredths of a second, whatever its own clock. */
const TICKS_PER_S = 100;

/** Starts watching the CPU; the returned function ends that, and returns the cores used by this process's tree and by others. */
export function watchCores() {
  const before = snapshot();
  return () => {
    const after = snapshot();
    const ticks = ((after.ms - before.ms) / 1000) * TICKS_PER_S;
    const own = after.own - before.own;
    return { own: own / ticks, other: Math.max(0, after.busy - before.busy - own) / ticks };
  };
}

function snapshot() {
  const [, user, nice, system, , , irq, softirq] = fs.readFileSync("/proc/stat", "utf8").split("\n", 1)[0].split(/\s+/).map(Number);
  const processes = new Map();
  for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${pid}/stat`);
    // The name in parentheses may itself contain spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [, parent, , , , , , , , , , utime, stime, cutime, cstime] = fields.map(Number);
    if (stat) processes.set(Number(pid), { parent, ticks: utime + stime + cutime + cstime });
  }
  const isOwn = (pid) => {
    for (let at = pid; processes.has(at); at = processes.get(at).parent) if (at === process.pid) return true;
    return false;
  };
  let own = 0;
  for (const [pid, { ticks }] of processes) if (isOwn(pid)) own += ticks;
  return { ms: performance.now(), busy: user + nice + system + irq + softirq, own };
}

/** Reads a file of a process, which may have ended since its folder was listed. */
function read(file) {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** The largest resident size, in bytes, that any of these processes ever had. */
export function peakMemory(pids) {
  const peaks = pids.map((pid) => Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0));
  return 1024 * Math.max(...peaks);
}
