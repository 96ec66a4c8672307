// Turns a dedicated worker into the host of the page that started it, which only searches; `worker.ts` is its large sibling.
import init from "#pkg-search";
import type { Port } from "./host.js";
import { SearchHost } from "./search-host.js";

/** The file of the module that this worker's glue belongs to; filled in by `build.mjs`. */
declare const MODULE: string;

// The DOM library of TypeScript knows only windows.
new SearchHost(globalThis as unknown as Port, () => init({ module_or_path: new URL(MODULE, import.meta.url) }));
