// Turns a dedicated worker into the host of the page that started it, which asks; `search-worker.ts` is its small sibling.
import init from "#pkg";
import { AnswerHost } from "./answer-host.js";
import type { Port } from "./host.js";
import { requestSubgroups } from "./subgroups.js";

/** The file of the module that this worker's glue belongs to; filled in by `build.mjs`. */
declare const MODULE: string;

requestSubgroups();
// The DOM library of TypeScript knows only windows.
new AnswerHost(globalThis as unknown as Port, () => init({ module_or_path: new URL(MODULE, import.meta.url) }));
