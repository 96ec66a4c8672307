// Turns the search part of this package into a script of its own, for pages without a chat; `index.ts` exports everything.
export { Anchorite } from "./engine/client.js";
export type { EngineState, OpenOptions, SearchOptions } from "./engine/client.js";
export type { Message, MessageKey, Messages } from "./elements/messages.js";
export { AnchoriteError } from "./engine/errors.js";
export type { FilterCounts, Filters, Hit, Manifest, Rung, RungState, Sort } from "./engine/protocol.js";
export { AnchoriteSearch } from "./elements/anchorite-search.js";
